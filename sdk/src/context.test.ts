import { createContextKey, ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { contextOf, spanOf } from './context.ts'

const spanContext = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), traceFlags: TraceFlags.SAMPLED }
const span = trace.wrapSpanContext(spanContext)
const [one, other] = [createContextKey('one'), createContextKey('other')]

test("a span is found by OpenTelemetry's API and by us, whoever put it there", () => {
  expect(trace.getSpan(contextOf(span, ROOT_CONTEXT))).toBe(span)
  expect(spanOf(trace.setSpan(ROOT_CONTEXT, span))).toBe(span)
  expect(spanOf(trace.deleteSpan(contextOf(span, ROOT_CONTEXT)))).toBeUndefined()
})

test('values are set and deleted without changing the context under it', () => {
  const base = contextOf(span, ROOT_CONTEXT.setValue(other, 0))
  const set = base.setValue(one, 1).setValue(other, 2)
  expect([set.getValue(one), set.getValue(other), spanOf(set)]).toEqual([1, 2, span])
  const without = set.deleteValue(other).deleteValue(one)
  expect([without.getValue(one), without.getValue(other), spanOf(without)]).toEqual([undefined, undefined, span])
  expect([base.getValue(one), base.getValue(other)]).toEqual([undefined, 0])
})

test('a chain of spans, each started under the one before, holds only the last', () => {
  let context = contextOf(span, ROOT_CONTEXT).setValue(one, 'kept')
  for (let depth = 0; depth < 100_000; depth++) {
    context = contextOf(trace.wrapSpanContext(spanContext), context).setValue(other, depth)
  }
  // To look for what is nowhere goes through all that it holds: of 100,000 it would overflow the stack.
  expect(context.getValue(createContextKey('nowhere'))).toBeUndefined()
  expect([context.getValue(one), context.getValue(other)]).toEqual(['kept', 99_999])
})
