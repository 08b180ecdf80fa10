import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

afterEach(stopServices)

const sendingTo = (url: string, more: Record<string, string> = {}) => ({
  env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more },
})

/** 2 s, and what a busy machine may add; without the bound it would be 10 s. */
const boundMs = 4_000

interface Telemetry {
  spans: { made: number; sent: number; dropped: number; waiting: number; down: boolean }
}

async function telemetry(service: Service) {
  return ((await (await fetch(`${service.adminUrl}/telemetry`)).json()) as Telemetry).spans
}

/** From the signal to the end, in ms. */
async function timeToEnd(service: Service) {
  const from = performance.now()
  service.child.kill('SIGTERM')
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  return performance.now() - from
}

test('a dead collector is one line, spans wait in a bounded queue, and every one is counted', async () => {
  const service = await startService('edge.mjs', sendingTo('http://127.0.0.1:1', { OTEL_BSP_MAX_QUEUE_SIZE: '20' }))
  for (let at = 0; at < 50; at++) await fetch(`${service.url}/hello`)
  const spans = await until(async () => {
    const seen = await telemetry(service)
    return seen.down && seen.made === 50 && seen
  })
  expect(spans.waiting).toBeLessThanOrEqual(20)
  expect(spans.sent + spans.dropped + spans.waiting).toBe(spans.made)
  expect(service.stderr().match(/OTLP .* fails: /g)).toHaveLength(1)
  expect(await timeToEnd(service)).toBeLessThan(boundMs)
})

test('a collector that comes back gets what waited, and that is one line too', async () => {
  const receiver = await startReceiver()
  receiver.answer = 503
  const service = await startService('edge.mjs', sendingTo(receiver.url))
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).down)
  receiver.answer = 200
  const spans = await until(async () => {
    const seen = await telemetry(service)
    return !seen.down && seen.waiting === 0 && seen
  })
  expect(spans).toMatchObject({ made: 1, sent: 1, dropped: 0 })
  expect(receiver.spans).toHaveLength(1)
  expect(service.stderr()).toMatch(/works again; 0 spans were dropped/)
  await receiver.close()
})

test('spans that the collector refuses for good are dropped and counted', async () => {
  const receiver = await startReceiver()
  receiver.answer = 400
  const service = await startService('edge.mjs', sendingTo(receiver.url))
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).dropped === 1)
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  expect(metrics).toMatch(/^shaketable_telemetry_spans_dropped_total 1$/m)
  expect(metrics).toMatch(/^shaketable_telemetry_spans_made_total 1$/m)
  await receiver.close()
})

test('a collector that never answers delays no kind of end for more than 2 s', async () => {
  const ends = { SIGTERM: [null, 'SIGTERM'], crash: [1, null], finish: [0, null] }
  const receiver = await startReceiver()
  receiver.answer = 'hang'
  const endBy = async (way: keyof typeof ends) => {
    // One sending is already under way when the process comes to its natural end.
    const delay = way === 'finish' ? '0' : '60000'
    const service = await startService('edge.mjs', sendingTo(receiver.url, { OTEL_BSP_SCHEDULE_DELAY: delay }))
    await fetch(`${service.url}/hello`)
    if (way === 'finish') await until(() => receiver.requests.length > 0)
    const from = performance.now()
    if (way === 'SIGTERM') service.child.kill('SIGTERM')
    else await fetch(`${service.url}/${way}`)
    expect(await service.ended).toEqual(ends[way])
    expect(performance.now() - from).toBeLessThan(boundMs)
  }
  await Promise.all((Object.keys(ends) as (keyof typeof ends)[]).map(endBy))
  await receiver.close()
})
