import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Receiver, startReceiver } from '../../sdk/test/otlp-receiver.ts'
import { type Collector, startCollector } from './backend.ts'
import { stopEngines, until } from './processes.ts'

let folder: string
let stores: Receiver

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-gateway-'))
  stores = await startReceiver()
})

afterEach(async () => {
  await stopEngines()
  await stores.close()
  rmSync(folder, { recursive: true, force: true })
})

const startGateway = (env: Record<string, string> = {}) =>
  startCollector(['gateway.yaml'], {
    folder,
    env: {
      TRACES_ENDPOINT: stores.url,
      METRICS_ENDPOINT: stores.url,
      TAIL_DECISION_WAIT: '1s',
      TAIL_PERCENT: '0',
      SPAN_METRICS_INTERVAL: '1s',
      ...env,
    },
  })

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
  const gateway = await startGateway()
  const ordinary = Array.from({ length: 20 }, () => ({ name: 'ordinary' }))
  await send(gateway, [...ordinary, { name: 'failed', failed: true }, { name: 'slow', tookMs: 900 }])
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
  const gateway = await startGateway({ TAIL_PERCENT: '100' })
  const attributes = {
    'http.request.header.authorization': 'Bearer abc.def',
    'db.password': 'hunter2',
    note: 'paid with 4111111111111111, token Bearer abc.def',
    plain: 'order 42',
  }
  await send(gateway, [{ name: 'secret', attributes }])
  const span = await until(() => stores.spans[0])
  expect(span.attributes).toMatchObject({
    'http.request.header.authorization': '****',
    'db.password': '****',
    note: 'paid with ****, token ****',
    plain: 'order 42',
  })
})

test('a gateway that is killed with -9 loses no trace that it has decided on', async () => {
  const gateway = await startGateway({ TAIL_PERCENT: '100' })
  stores.answer = 503
  await send(gateway, [{ name: 'decided' }])
  await until(() => stores.requests.some(({ path }) => path === '/v1/traces'))
  await gateway.kill()
  stores.answer = 200
  await startCollector(['gateway.yaml'], {
    folder,
    port: Number(new URL(gateway.url).port),
    env: { TRACES_ENDPOINT: stores.url, METRICS_ENDPOINT: stores.url },
  })
  await until(() => stores.spans.some(({ name }) => name === 'decided'))
})
