import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../sdk/test/otlp-receiver.ts'
import { type Collector, startCollector } from './backend.ts'
import { stopEngines, until } from './processes.ts'

const folder = mkdtempSync(join(tmpdir(), 'shaketable-gateway-'))
const receivers: Receiver[] = []
/** Of a span that is kept: secrets, and what is none. */
const attributes = {
  'http.request.header.authorization': 'Bearer abc.def',
  'db.password': 'hunter2',
  note: 'paid with 4111111111111111, token Bearer abc.def',
  plain: 'order 42',
}
let stores: Receiver
let gateway: Collector

beforeAll(async () => {
  stores = await startStores()
  gateway = await startGateway(stores, { decisionWaitMs: 1000 })
  const ordinary = Array.from({ length: 20 }, () => ({ name: 'ordinary' }))
  await send(gateway, [...ordinary, { name: 'failed', failed: true, attributes }, { name: 'slow', tookMs: 900 }])
})

afterAll(async () => {
  await stopEngines()
  await Promise.all(receivers.map(each => each.close()))
  rmSync(folder, { recursive: true, force: true })
})

async function startStores(): Promise<Receiver> {
  const started = await startReceiver()
  receivers.push(started)
  return started
}

function startGateway(stores: Receiver, options: { decisionWaitMs: number; port?: number; percent?: number }) {
  const { decisionWaitMs, port, percent = 0 } = options
  return startCollector(['gateway.yaml'], {
    folder,
    ...(port === undefined ? {} : { port }),
    env: {
      TRACES_ENDPOINT: stores.url,
      METRICS_ENDPOINT: stores.url,
      TAIL_DECISION_WAIT: `${decisionWaitMs}ms`,
      TAIL_PERCENT: String(percent),
      SPAN_METRICS_INTERVAL: '1s',
    },
  })
}

interface Sent {
  name: string
  tookMs?: number
  failed?: boolean
  attributes?: Record<string, string>
}

/** Sends each as a trace of one span, over OTLP. */
async function send(gateway: Collector, spans: Sent[]): Promise<void> {
  const now = BigInt(Date.now()) * 1_000_000n
  const body = {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'sender' } }] },
        scopeSpans: [
          {
            scope: { name: 'test' },
            spans: spans.map(({ name, tookMs = 1, failed, attributes = {} }) => ({
              traceId: randomBytes(16).toString('hex'),
              spanId: randomBytes(8).toString('hex'),
              name,
              kind: 3,
              startTimeUnixNano: String(now - BigInt(tookMs) * 1_000_000n),
              endTimeUnixNano: String(now),
              status: { code: failed ? 2 : 0 },
              attributes: Object.entries(attributes).map(([key, value]) => ({ key, value: { stringValue: value } })),
            })),
          },
        ],
      },
    ],
  }
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${gateway.url}/v1/traces`, { method: 'POST', headers, body: JSON.stringify(body) })
  expect(answer.status).toBe(200)
}

test('failed and slow traces are kept and the rest is not, and all of them were counted', async () => {
  await until(() => stores.spans.length >= 2)
  const counted = () =>
    stores.metrics
      .filter(({ name }) => name === 'traces.span.metrics.calls')
      .flatMap(({ points }) => points)
      .map(({ attributes, value }) => [attributes['span.name'], value])
      .sort()
  await until(() => counted().length === 3)
  expect(counted()).toEqual([
    ['failed', 1],
    ['ordinary', 20],
    ['slow', 1],
  ])
  expect(stores.spans.map(({ name }) => name).sort()).toEqual(['failed', 'slow'])
})

test('secrets are masked before they are stored', async () => {
  const span = await until(() => stores.spans.find(({ name }) => name === 'failed'))
  expect(span.attributes).toMatchObject({
    'http.request.header.authorization': '****',
    'db.password': '****',
    note: 'paid with ****, token ****',
    plain: 'order 42',
  })
})

test('a gateway that is killed with -9 loses no trace that it has decided on: those of its last seconds, and no other', async () => {
  const stores = await startStores()
  const decisionWaitMs = 2000
  // What is decided lies in the queue on its disk.
  stores.answer = 503
  const killed = await startGateway(stores, { decisionWaitMs, percent: 100 })
  const acceptedAt: number[] = []
  let stopped = false
  const flow = (async () => {
    while (!stopped) {
      await send(killed, [{ name: `trace ${acceptedAt.length}` }])
      acceptedAt.push(performance.now())
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  })().catch(() => undefined)

  // It decides once a second. A machine that is too busy for that is waited for, until the gateway has caught up.
  let decided = 0
  await until(async () => {
    decided = await decidedBy(killed)
    const undecidedFor = performance.now() - (acceptedAt[decided] ?? Number.NaN)
    return decided > 100 && undecidedFor < decisionWaitMs + 1500
  })
  await killed.kill()
  const killedAt = performance.now()
  stopped = true
  await flow

  stores.answer = 200
  const port = Number(new URL(killed.url).port)
  const restarted = await startGateway(stores, { decisionWaitMs, port, percent: 100 })
  const arrived = () => new Set(stores.spans.map(({ name }) => name))
  const lost = () => acceptedAt.flatMap((_, index) => (arrived().has(`trace ${index}`) ? [] : [index]))
  await send(restarted, [{ name: 'after' }])
  // Last in the queue; what is still on the way then comes within moments, or never.
  await until(() => arrived().has('after'))
  await until(() => lost().every(index => index >= decided), 30_000).catch(() => undefined)
  expect(lost().filter(index => index < decided)).toEqual([])
  const oldest = Math.max(...lost().map(index => killedAt - acceptedAt[index]!))
  console.log(
    `${lost().length} of ${acceptedAt.length} traces lost, accepted up to ${Math.round(oldest)} ms before; it decides after ${decisionWaitMs} ms`,
  )
})

/** How many traces a gateway says it has decided on: counted when they are in its queue, once all of a second's are. */
async function decidedBy(gateway: Collector): Promise<number> {
  const text = await (await fetch(`http://${gateway.metrics}/metrics`)).text()
  const counted = [...text.matchAll(/^otelcol_processor_tail_sampling_global_count_traces_sampled\S* (\S+)/gm)]
  return counted.reduce((sum, [, value]) => sum + Number(value), 0)
}
