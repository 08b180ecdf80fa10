import { SpanKind } from '@opentelemetry/api'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Redaction } from '../redaction.ts'
import { ServiceResource } from '../resource.ts'
import { newSpanId, newTraceId } from '../traces/ids.ts'
import { RecordedSpan } from '../traces/span.ts'
import { unpack } from './message.ts'
import { type Delivery, type ExportDestination, ExportQueue } from './queue.ts'

const options = { maxQueueSize: 10, maxBatchSize: 4, delayMs: 100, timeoutMs: 1000, maxPackedBytes: 0 }
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

function span(name = 's'): RecordedSpan {
  const sink = { resource: new ServiceResource({}), limits, redaction, started() {}, ended() {} }
  const context = { traceId: newTraceId(), spanId: newSpanId(), traceFlags: 1 }
  return new RecordedSpan(sink, {
    name,
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
  return { queue: new ExportQueue<RecordedSpan>(destination, options, line => lines.push(line)), batches, lines }
}

const sent: Delivery = { outcome: 'sent', rejected: 0 }
const retry: Delivery = { outcome: 'retry', reason: 'refused' }

function balanced(queue: ExportQueue<RecordedSpan>): void {
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

test('a full batch is not put off by the spans that come meanwhile', async () => {
  const { queue, batches } = queueOf([sent])
  for (let at = 0; at < 4; at++) queue.add(span())
  const timers = vi.spyOn(globalThis, 'setTimeout')
  for (let at = 0; at < 4; at++) queue.add(span())
  expect(timers).not.toHaveBeenCalled()
  timers.mockRestore()
  await vi.advanceTimersByTimeAsync(0)
  expect(batches[0]).toBe(4)
})

test('what a destination holds is made a handful at a time, and what it cannot hold counts as refused', async () => {
  const handfuls: number[] = []
  const destination: ExportDestination<RecordedSpan, string> = {
    name: 'there',
    close() {},
    hold(spans) {
      if (spans.some(({ name }) => name === 'bad')) throw new Error('cannot be written')
      handfuls.push(spans.length)
      return [spans.map(({ name }) => name).join()]
    },
    async send(held) {
      texts.push(...held)
      return sent
    },
  }
  const texts: string[] = []
  const queue = new ExportQueue(destination, { ...options, maxQueueSize: 100, maxBatchSize: 20 }, () => {})
  for (let at = 0; at < 10; at++) queue.add(span(String(at)))
  expect(handfuls).toEqual([8])
  await queue.flush(1000)
  expect(texts).toEqual(['0,1,2,3,4,5,6,7', '8,9'])
  queue.add(span('bad'))
  await queue.flush(1000)
  expect(queue).toMatchObject({ made: 11, sent: 10, droppedFor: { refused: 1 }, waiting: 0 })
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

test('a long trouble is one line, and its end tells how much was lost, the first batch included', async () => {
  const refused: Delivery = { outcome: 'refused', reason: 'it answered 400' }
  const { queue, lines } = queueOf([refused, refused, refused, sent])
  for (let at = 0; at < 4; at++) {
    queue.add(span())
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(lines).toEqual([
    'there refuses: it answered 400; those spans are dropped and counted',
    'there works again; 3 spans were dropped meanwhile',
  ])
  expect(queue.droppedFor).toMatchObject({ refused: 3, rejected: 0 })
})

test('a destination that comes and goes is told once in a minute, and one that then stays away is told too', async () => {
  const { queue, lines } = queueOf([retry, sent, retry, sent, retry])
  for (let at = 0; at < 600; at++) {
    queue.add(span())
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(lines.filter(line => line.includes('fails'))).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(20_000)
  expect(lines.filter(line => line.includes('fails'))).toHaveLength(2)
})

test('a destination that asks for time gets it', async () => {
  const { queue, batches } = queueOf([{ ...retry, afterMs: 20_000 }, sent])
  queue.add(span())
  await vi.advanceTimersByTimeAsync(20_000)
  expect(batches).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(200)
  expect(batches).toHaveLength(2)
})

describe('with room for packed batches', () => {
  /** A destination that takes messages: their bytes are the names of the spans. */
  function packing(maxPackedBytes: number) {
    const state = { answer: retry as Delivery, received: [] as string[], encoded: 0 }
    const receive = (names: string[]): Delivery => {
      if (state.answer.outcome === 'sent') state.received.push(...names)
      return state.answer
    }
    const namesOf = (spans: readonly RecordedSpan[]) => spans.map(one => one.name)
    const destination: ExportDestination<RecordedSpan, RecordedSpan> = {
      name: 'there',
      close() {},
      send: async spans => receive(namesOf(spans)),
      wire: {
        encode: spans => {
          state.encoded += spans.length
          return { bytes: Buffer.from(namesOf(spans).join()), gzip: false }
        },
        post: async message => receive((await unpack(message)).bytes.toString().split(',')),
        last: () => {
          throw new Error('not asked for')
        },
      },
    }
    const queue = new ExportQueue(destination, { ...options, maxPackedBytes }, () => {})
    /** Packing is zlib's, in threads that no fake clock moves. */
    const packed = async () => {
      vi.useRealTimers()
      await vi.waitFor(() => expect(queue.packed.spans).toBe(state.encoded), { timeout: 10_000, interval: 1 })
      vi.useFakeTimers()
    }
    return { queue, state, packed }
  }

  test('an outage keeps far more spans than the queue, all are counted, and all arrive after it', async () => {
    const { queue, state, packed } = packing(1_000_000)
    queue.add(span('0'))
    await queue.flush(1000)
    for (let at = 1; at < 60; at++) {
      queue.add(span(String(at)))
      await packed()
      balanced(queue)
    }
    expect(queue.droppedFor.queue_full).toBe(0)
    state.answer = sent
    for (let round = 0; queue.waiting > 0 && round < 100; round++) await queue.flush(1000)
    expect(queue).toMatchObject({ made: 60, sent: 60, waiting: 0 })
    expect(state.received.map(Number).sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, at) => at))
  })

  test('a queue that fills up while a batch is packed goes on with the next one by itself', async () => {
    const { queue, packed } = packing(1_000_000)
    queue.add(span('0'))
    await queue.flush(1000)
    for (let at = 1; at < 60; at++) queue.add(span(String(at)))
    await packed()
    expect(queue.droppedFor.queue_full).toBeGreaterThan(0)
    const { spans } = queue.packed
    expect(spans).toBeGreaterThanOrEqual(8)
    balanced(queue)
  })

  test('the packed ones are bounded too, and what is closed away is counted', async () => {
    const { queue, packed } = packing(50)
    queue.add(span('0'))
    await queue.flush(1000)
    for (let at = 1; at < 60; at++) {
      queue.add(span(String(at)))
      await packed()
    }
    expect(queue.droppedFor.queue_full).toBeGreaterThan(30)
    balanced(queue)
    await queue.close(1000)
    balanced(queue)
    expect(queue.waiting).toBe(0)
  })
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
  const queue = new ExportQueue(destination, options, () => {})
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
