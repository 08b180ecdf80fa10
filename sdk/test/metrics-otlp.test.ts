import { afterEach, expect, test } from 'vitest'
import { type GrpcReceiver, startGrpcReceiver } from './grpc-receiver.ts'
import type { ReceivedMetric } from './otlp-metrics.ts'
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

const receivers: (Receiver | GrpcReceiver)[] = []
afterEach(async () => {
  await stopServices()
  for (const receiver of receivers.splice(0)) await receiver.close()
})

async function listen(): Promise<Receiver> {
  const receiver = await startReceiver()
  receivers.push(receiver)
  return receiver
}

const start = (url: string, env: Record<string, string> = {}) =>
  startService('meters.mjs', {
    env: {
      OTEL_METRICS_EXPORTER: 'otlp,prometheus',
      OTEL_EXPORTER_OTLP_ENDPOINT: url,
      OTEL_METRIC_EXPORT_INTERVAL: '60000',
      ...env,
    },
  })

const find = ({ metrics }: { metrics: ReceivedMetric[] }, name: string) => metrics.find(one => one.name === name)!

const telemetry = async ({ adminUrl }: Service) =>
  ((await (await fetch(`${adminUrl}/telemetry`)).json()) as { metrics: Record<string, unknown> }).metrics

/** 2 s, and what a busy machine may add; without the bound it would be 10 s. */
const boundMs = 8_000

/** What a service that has measured once has sent when SIGTERM has ended it. */
async function lastWords(receiver: { metrics: ReceivedMetric[] }, service: Service) {
  await fetch(`${service.url}/measure`)
  service.child.kill('SIGTERM')
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expectAllSources(receiver)
}

function expectAllSources(receiver: { metrics: ReceivedMetric[] }) {
  const served = find(receiver, 'http.server.request.duration')
  expect(served).toMatchObject({ unit: 's', type: 'histogram', temporality: 2, scope: '@shaketable/sdk' })
  expect(served.resource).toMatchObject({ 'service.name': 'tested', 'telemetry.sdk.name': 'shaketable' })
  const [point] = served.points
  expect(point!.attributes).toEqual({
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'url.scheme': 'http',
  })
  expect([point!.count, point!.counts!.reduce((sum, one) => sum + one, 0)]).toEqual([1, 1])
  expect([point!.bounds!.length, point!.counts!.length]).toEqual([14, 15])
  expect(point!.nano).toBeGreaterThan(point!.startNano)
  expect(point!.exemplars).toEqual([
    expect.objectContaining({ traceId: expect.stringMatching(/^\w{32}$/), value: point!.sum }),
  ])
  expect(find(receiver, 'http.server.active_requests')).toMatchObject({
    type: 'sum',
    monotonic: false,
    unit: '{request}',
  })
  const orders = find(receiver, 'shop.orders')
  expect(orders).toMatchObject({ scope: 'shop', type: 'sum', monotonic: true, unit: '{order}', description: 'Orders.' })
  expect(orders.points).toMatchObject([{ attributes: { 'order.kind': 'new', count: 1 }, value: 2 }])
  expect(find(receiver, 'shop.basket.size').points).toMatchObject([
    { count: 1, sum: 50, bounds: [10, 100], counts: [0, 1, 0] },
  ])
  expect(find(receiver, 'shop.stock')).toMatchObject({ type: 'gauge', points: [{ value: 0.5 }] })
  const sold = find(receiver, 'till_sales_total')
  expect(sold).toMatchObject({ scope: 'prom-client', type: 'sum', monotonic: true })
  expect(sold.points).toMatchObject([{ attributes: { customer: 'first' }, value: 1 }])
  const paid = find(receiver, 'till_paid_seconds')
  expect(paid).toMatchObject({ unit: 's', points: [{ count: 1, sum: 1.5, bounds: [1, 2], counts: [0, 1, 0] }] })
  expect(find(receiver, 'till_asked')).toMatchObject({
    type: 'summary',
    points: [{ count: 1, sum: 4, quantiles: [{ quantile: 0.5, value: 4 }] }],
  })
  expect(find(receiver, 'nodejs_heap_size_used_bytes')).toMatchObject({ type: 'gauge', unit: 'By' })
  expect(find(receiver, 'nodejs.eventloop.utilization')).toMatchObject({ type: 'gauge', unit: '1' })
  expect(new Set(receiver.metrics.map(one => one.name)).size).toBe(receiver.metrics.length)
}

test.each([
  ['http/protobuf', 'gzip'],
  ['http/json', 'none'],
])('all sources arrive over %s (%s) at the end of the process, under OpenTelemetry names', async (protocol, gzip) => {
  const receiver = await listen()
  const service = await start(receiver.url, {
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_METRICS_COMPRESSION: gzip,
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'team=till',
  })
  await lastWords(receiver, service)
  expect(receiver.requests).toHaveLength(1)
  expect(receiver.requests[0]).toMatchObject({ path: '/v1/metrics', headers: { team: 'till' } })
})

test('all sources arrive over gRPC', async () => {
  const receiver = await startGrpcReceiver()
  receivers.push(receiver)
  await lastWords(receiver, await start(receiver.url, { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }))
})

test('metrics go out at the interval and at the natural end, and /metrics is not there unless it is chosen', async () => {
  const receiver = await listen()
  const service = await start(receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '50', OTEL_METRICS_EXPORTER: 'otlp' })
  await until(() => receiver.requests.length >= 3)
  expect((await fetch(`${service.adminUrl}/metrics`)).status).toBe(404)
  await fetch(`${service.url}/finish`)
  expect(await service.ended).toEqual([0, null])
  expect(find(receiver, 'http.server.request.duration').points).toMatchObject([{ count: 1 }])
})

test('a collector that is away is one line, one more when it is back, and what comes then says it all', async () => {
  const receiver = await listen()
  receiver.answer = 503
  const service = await start(receiver.url, { OTEL_METRIC_EXPORT_INTERVAL: '50' })
  await fetch(`${service.url}/measure`)
  await until(async () => Number((await telemetry(service)).failed) >= 2)
  expect(await telemetry(service)).toMatchObject({ down: true, sent: 0, lastFailure: 'it answered 503' })
  receiver.answer = 200
  await until(async () => (await telemetry(service)).down === false)
  await until(() => receiver.metrics.length > 0)
  expect(find(receiver, 'shop.orders').points).toMatchObject([{ value: 2 }])
  expect(service.stderr().match(/v1\/metrics fails: it answered 503/g)).toHaveLength(1)
  await until(() => service.stderr().match(/v1\/metrics works again/g)?.length === 1)
})

test('a collector that never answers delays the end for no more than 2 s', async () => {
  const receiver = await listen()
  receiver.answer = 'hang'
  const ends = { SIGTERM: [null, 'SIGTERM'], finish: [0, null] }
  const endBy = async (way: keyof typeof ends) => {
    const service = await start(receiver.url)
    const from = performance.now()
    if (way === 'SIGTERM') service.child.kill('SIGTERM')
    else await fetch(`${service.url}/${way}`)
    expect(await service.ended).toEqual(ends[way])
    expect(performance.now() - from).toBeLessThan(boundMs)
  }
  await Promise.all([endBy('SIGTERM'), endBy('finish')])
})

test('OTEL_METRICS_EXPORTER=console writes every metric to stdout', async () => {
  const service = await start('http://127.0.0.1:1', { OTEL_METRICS_EXPORTER: 'console' })
  await fetch(`${service.url}/measure`)
  service.child.kill('SIGTERM')
  await service.ended
  expect(service.stdout()).toContain("name: 'http.server.request.duration'")
  expect(service.stdout()).toContain("name: 'shop.orders'")
})
