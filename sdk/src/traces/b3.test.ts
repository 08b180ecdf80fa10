import { defaultTextMapGetter, defaultTextMapSetter, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { propagatorOf } from './propagators.ts'

const traceId = '463ac35c9f6413ad48485a3953bb6124'
const spanId = '0020000000000001'

const extract = (names: Parameters<typeof propagatorOf>[0], headers: Record<string, string>) =>
  propagatorOf(names).extract(ROOT_CONTEXT, headers, defaultTextMapGetter)
const inject = (names: Parameters<typeof propagatorOf>[0], context = ROOT_CONTEXT) => {
  const headers: Record<string, string> = {}
  propagatorOf(names).inject(context, headers, defaultTextMapSetter)
  return headers
}
const spanOf = (headers: Record<string, string>) => trace.getSpanContext(extract(['b3'], headers))

test.each([
  ['sampled', `${traceId}-${spanId}-1`, 1],
  ['not sampled', `${traceId}-${spanId}-0`, 0],
  ['debugged', `${traceId}-${spanId}-d`, 1],
  ['with a parent', `${traceId}-${spanId}-1-0000000000000002`, 1],
  ['undecided', `${traceId}-${spanId}`, 0],
])('the one header, %s', (_what, b3, traceFlags) => {
  expect(spanOf({ b3 })).toEqual({ traceId, spanId, traceFlags, isRemote: true })
})

test('an id of 64 bits is filled up', () => {
  expect(spanOf({ b3: `48485a3953bb6124-${spanId}-1` })?.traceId).toBe('000000000000000048485a3953bb6124')
})

test('the several headers are read as well, whichever form is configured', () => {
  const headers = { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-sampled': 'true' }
  expect(spanOf(headers)).toMatchObject({ traceId, spanId, traceFlags: 1 })
})

test.each([
  { b3: '0' },
  { b3: `${traceId}-${spanId}-2` },
  { b3: `${'0'.repeat(32)}-${spanId}-1` },
  { 'x-b3-traceid': traceId },
  { 'x-b3-traceid': `${traceId}\n`.repeat(2), 'x-b3-spanid': spanId },
])('%j is no caller', headers => {
  expect(spanOf(headers as unknown as Record<string, string>)).toBeUndefined()
})

test('what is written: one header, several, and debug goes on', () => {
  const context = extract(['b3'], { b3: `${traceId}-${spanId}-1` })
  expect(inject(['b3'], context)).toEqual({ b3: `${traceId}-${spanId}-1` })
  expect(inject(['b3multi'], context)).toEqual({
    'x-b3-traceid': traceId,
    'x-b3-spanid': spanId,
    'x-b3-sampled': '1',
  })
  const debugged = extract(['b3multi'], { 'x-b3-traceid': traceId, 'x-b3-spanid': spanId, 'x-b3-flags': '1' })
  expect(inject(['b3'], debugged)).toEqual({ b3: `${traceId}-${spanId}-d` })
  expect(inject(['b3multi'], debugged)).toMatchObject({ 'x-b3-flags': '1' })
})

test('with tracecontext beside it both are written, and traceparent decides', () => {
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const context = extract(['tracecontext', 'b3'], { b3: `${traceId}-${spanId}-1`, traceparent })
  expect(inject(['tracecontext', 'b3'], context)).toEqual({
    traceparent,
    b3: '4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1',
  })
})
