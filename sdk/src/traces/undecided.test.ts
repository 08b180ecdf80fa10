import { type Context, ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api'
import { beforeEach, expect, test } from 'vitest'
import { Redaction } from '../redaction.ts'
import { ServiceResource } from '../resource.ts'
import { samplerOf } from './sampler.ts'
import type { RecordedSpan } from './span.ts'
import { httpScope, SpanProvider } from './tracer.ts'
import { Undecided } from './undecided.ts'

const limits = {
  attributeCount: 9,
  attributeLength: 99,
  eventCount: 1,
  eventAttributeCount: 9,
  linkCount: 1,
  linkAttributeCount: 9,
}

let kept: string[]
let left: string[]
let lost: number
beforeEach(() => {
  kept = []
  left = []
  lost = 0
})

/** A provider whose head sampling takes `ratio` of the new traces; times are given by the spans themselves. */
function begin({ maxSpans = 10, ratio = 0 } = {}) {
  const sink = {
    resource: new ServiceResource({}),
    limits,
    redaction: new Redaction({ credentials: true, cards: true, emails: false, names: [] }),
    started() {},
    ended: (span: RecordedSpan) => kept.push(span.name),
  }
  const undecided = new Undecided(
    { slowMs: 100, maxSpans },
    {
      keep(span) {
        span.keep()
        sink.ended(span)
      },
      leave: span => left.push(span.name),
      lost: count => (lost += count),
    },
  )
  const provider = new SpanProvider(sink, { decide: samplerOf('errors_and_slow', ratio), undecided }, () => {})
  const start = (name: string, parent?: RecordedSpan, startTime = 1e12): RecordedSpan => {
    const context: Context = parent ? trace.setSpan(ROOT_CONTEXT, parent) : ROOT_CONTEXT
    return provider.start(httpScope, name, SpanKind.INTERNAL, context, { startTime })
  }
  return { provider, start }
}

const at = (ms: number) => 1e12 + ms

test('a local root that is neither slow nor failed leaves nothing, and says so to its callees', () => {
  const { start } = begin()
  const root = start('root')
  const child = start('child', root)
  expect([root.isRecording(), child.spanContext().traceFlags]).toEqual([true, 0])
  child.end(at(10))
  root.end(at(20))
  expect({ kept, left }).toEqual({ kept: [], left: ['child', 'root'] })
  expect(root.isSampled()).toBe(false)
})

test('a slow root brings in all that came before it, and what comes after it', () => {
  const { start } = begin()
  const root = start('root')
  const late = start('late', root)
  start('child', root).end(at(10))
  start('grandchild', late).end(at(20))
  root.end(at(100))
  late.end(at(120))
  expect(kept).toEqual(['child', 'grandchild', 'root', 'late'])
  expect(root.spanContext().traceFlags).toBe(1)
})

test('one failure under it is enough; from then on its callees are told to sample', () => {
  const { start } = begin()
  const root = start('root')
  start('fine', root).end(at(1))
  start('failed', root).setStatus({ code: 2 }).end(at(2))
  const next = start('next', root)
  expect(next.spanContext().traceFlags).toBe(0)
  next.end(at(3))
  root.end(at(4))
  expect(kept).toEqual(['fine', 'failed', 'next', 'root'])
})

test('what the caller or the ratio has sampled goes its ordinary way', () => {
  const { start } = begin({ ratio: 1 })
  const root = start('root')
  expect([root.local, root.spanContext().traceFlags]).toEqual([undefined, 1])
  start('child', root).end(at(1))
  root.end(at(2))
  expect(kept).toEqual(['child', 'root'])
})

test('two requests at once are decided each for itself', () => {
  const { start } = begin()
  const good = start('good')
  const bad = start('bad')
  start('of good', good).end(at(1))
  start('of bad', bad).end(at(1))
  bad.setStatus({ code: 2 }).end(at(2))
  good.end(at(3))
  expect({ kept, left }).toEqual({ kept: ['of bad', 'bad'], left: ['of good', 'good'] })
})

test('what waits is bounded; what a kept trace lacks for it is counted', () => {
  const { start } = begin({ maxSpans: 3 })
  const root = start('root')
  for (let each = 0; each < 8; each++) start(`child ${each}`, root).end(at(1))
  root.setStatus({ code: 2 }).end(at(2))
  expect(kept).toEqual(['child 0', 'child 1', 'child 2', 'root'])
  expect(lost).toBe(5)
})

test('roots that never end do not take the room for ever: they are slow by then', () => {
  const { start } = begin({ maxSpans: 3 })
  for (let each = 0; each < 3; each++) start('hangs', start('root')).end(at(1))
  const later = start('later', undefined, at(500))
  start('child', later, at(500)).end(at(501))
  expect(kept).toEqual(['hangs', 'hangs', 'hangs'])
  later.setStatus({ code: 2 }).end(at(502))
  expect(kept.slice(3)).toEqual(['child', 'later'])
  expect(lost).toBe(0)
})
