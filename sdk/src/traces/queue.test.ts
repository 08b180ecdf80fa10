import { SpanKind } from '@opentelemetry/api'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Redaction } from '../redaction.ts'
import { newSpanId, newTraceId } from './ids.ts'
import { type Delivery, SpanQueue } from './queue.ts'
import { ServiceResource } from './resource.ts'
import { RecordedSpan } from './span.ts'

const options = { maxQueueSize: 10, maxBatchSize: 4, delayMs: 100, timeoutMs: 1000 }
const limits = {
  attributeCount: 2,
  attributeLength: 5,
  eventCount: 1,
  eventAttributeCount: 2,
  linkCount: 1,
  linkAttributeCount: 2,
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

const redaction = new Redaction({ credentials: true, cards: true, emails: false, names: [] })

function span(): RecordedSpan {
  const sink = { resource: new ServiceResource({}), limits, redaction, started() {}, ended() {} }
  const context = { traceId: newTraceId(), spanId: newSpanId(), traceFlags: 1 }
  return new RecordedSpan(sink, {
    name: 's',
    kind: SpanKind.INTERNAL,
    context,
    parent: undefined,
    scope: { name: 't' },
  })
}

/** A queue whose destination answers as told, one answer a batch; the last one stays. */
function queueOf(answers: Delivery[]) {
  const batches: number[] = []
  const lines: string[] = []
  const destination = {
    name: 'there',
    close() {},
    async send(spans: readonly RecordedSpan[]) {
      batches.push(spans.length)
      return answers.length > 1 ? answers.shift()! : answers[0]!
    },
  }
  return { queue: new SpanQueue(destination, options, line => lines.push(line)), batches, lines }
}

const sent: Delivery = { outcome: 'sent', rejected: 0 }
const retry: Delivery = { outcome: 'retry', reason: 'refused' }

function balanced(queue: SpanQueue): void {
  expect(queue.sent + queue.dropped + queue.waiting).toBe(queue.made)
}

test('spans go out in batches: at once when one is full, after the delay otherwise', async () => {
  const { queue, batches } = queueOf([sent])
  for (let at = 0; at < 6; at++) queue.add(span())
  await vi.advanceTimersByTimeAsync(0)
  expect(batches).toEqual([4])
  await vi.advanceTimersByTimeAsync(100)
  expect(batches).toEqual([4, 2])
  expect(queue).toMatchObject({ made: 6, sent: 6, dropped: 0, waiting: 0 })
})

test('while the destination is down the queue stays bounded and all spans stay counted', async () => {
  const { queue, lines } = queueOf([retry])
  for (let at = 0; at < 500; at++) {
    queue.add(span())
    await vi.advanceTimersByTimeAsync(20)
    balanced(queue)
    expect(queue.waiting).toBeLessThanOrEqual(10)
  }
  expect(queue).toMatchObject({ sent: 0, dropped: 490, down: true })
  expect(lines).toHaveLength(1)
})

test('when it comes back everything that waited is sent, with one line', async () => {
  const { queue, lines } = queueOf([retry, retry, sent])
  for (let at = 0; at < 8; at++) queue.add(span())
  await vi.advanceTimersByTimeAsync(10_000)
  expect(queue).toMatchObject({ made: 8, sent: 8, dropped: 0, down: false })
  expect(lines).toHaveLength(2)
})

test('what the destination rejects or refuses is dropped, not sent again', async () => {
  const { queue, batches } = queueOf([
    { outcome: 'sent', rejected: 3 },
    { outcome: 'refused', reason: '400' },
  ])
  for (let at = 0; at < 8; at++) queue.add(span())
  await vi.advanceTimersByTimeAsync(1000)
  expect(batches).toEqual([4, 4])
  expect(queue).toMatchObject({ made: 8, sent: 1, dropped: 7 })
})

test('after close nothing waits, and late spans count as dropped', async () => {
  const { queue } = queueOf([retry])
  queue.add(span())
  const closing = queue.close(2000)
  await vi.advanceTimersByTimeAsync(2000)
  await closing
  queue.add(span())
  expect(queue).toMatchObject({ made: 2, sent: 0, dropped: 2, waiting: 0 })
})

test('a span keeps its limits and counts what it leaves out', () => {
  const one = span().setAttributes({ a: 'abcdefgh', b: 2, c: 3 }).addEvent('first').addEvent('second')
  expect(one.attributes).toEqual({ a: 'abcde', b: 2 })
  expect(one.droppedAttributesCount).toBe(1)
  expect(one.events.map(event => event.name)).toEqual(['second'])
  expect(one.droppedEventsCount).toBe(1)
})

test('an event and a link keep the limits too, and count what they leave out', () => {
  const context = { traceId: newTraceId(), spanId: newSpanId(), traceFlags: 1 }
  const attributes = { a: 'abcdefgh', b: 2, c: 3 }
  const one = span()
    .addEvent('e', attributes)
    .addLink({ context, attributes })
    .addLink({ context: { traceId: 'xyz', spanId: '1', traceFlags: 0 } })
  const expected = { attributes: { a: 'abcde', b: 2 }, droppedAttributesCount: 1 }
  expect(one.events).toMatchObject([expected])
  expect(one.links).toEqual([{ context, ...expected }])
  expect(one.droppedLinksCount).toBe(1)
})

test('a clock that is set while a span runs changes no duration', () => {
  const one = span()
  vi.setSystemTime(Date.now() + 3_600_000)
  vi.advanceTimersByTime(20)
  one.end()
  expect(one.endMs - one.startMs).toBeCloseTo(20, 3)
})

test('a destination that throws instead of answering costs its batch, not the process', async () => {
  const destination = {
    name: 'broken',
    close() {},
    send: () => {
      throw new RangeError('no')
    },
  }
  const queue = new SpanQueue(destination, options, () => {})
  queue.add(span())
  await vi.advanceTimersByTimeAsync(200)
  expect(queue).toMatchObject({ made: 1, sent: 0, dropped: 1, waiting: 0 })
})

test('an ended span does not change any more', () => {
  const one = span()
  one.end()
  const { endMs } = one
  one.setAttribute('late', 1).updateName('late').setStatus({ code: 2 }).addEvent('late').end()
  expect(one).toMatchObject({ name: 's', attributes: {}, events: [], status: { code: 0 }, endMs })
})
