import { afterEach, describe, expect, test } from 'vitest'
import { type GrpcReceiver, startGrpcReceiver } from './grpc-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

const receivers: GrpcReceiver[] = []
afterEach(async () => {
  await stopServices()
  for (const receiver of receivers.splice(0)) receiver.close()
})

async function listen(): Promise<GrpcReceiver> {
  const receiver = await startGrpcReceiver()
  receivers.push(receiver)
  return receiver
}

const sendingTo = ({ url }: GrpcReceiver, more: Record<string, string> = {}) => ({
  env: {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    ...more,
  },
})

async function start(env: Record<string, string> = {}): Promise<{ service: Service; receiver: GrpcReceiver }> {
  const receiver = await listen()
  return { service: await startService('edge.mjs', sendingTo(receiver, env)), receiver }
}

const telemetry = async ({ adminUrl }: Service) =>
  ((await (await fetch(`${adminUrl}/telemetry`)).json()) as { spans: Record<string, unknown> }).spans

test.each(['none', 'gzip'])(
  'the same spans go out over gRPC, compression %s, with the headers as metadata',
  async compression => {
    const { service, receiver } = await start({
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20x',
      OTEL_EXPORTER_OTLP_COMPRESSION: compression,
    })
    await fetch(`${service.url}/refused`)
    await until(() => receiver.spans.length === 2)
    const server = receiver.spans.find(span => span.kind === 2)!
    expect(server).toMatchObject({ name: 'GET', parentSpanId: '', resource: { 'service.name': 'tested' } })
    expect(server.attributes).toMatchObject({ 'url.path': '/refused', 'http.response.status_code': 200 })
    const client = receiver.spans.find(span => span.kind === 3)!
    expect(client).toMatchObject({ traceId: server.traceId, parentSpanId: server.spanId, status: { code: 2 } })
    expect(client.endNano).toBeGreaterThan(client.startNano)
    expect(new Set(receiver.authorizations)).toEqual(new Set(['Bearer x']))
    await until(async () => (await telemetry(service)).sent === 2)
    expect(await telemetry(service)).toMatchObject({ made: 2, dropped: 0, waiting: 0 })
  },
)

test('the traces protocol alone chooses gRPC; without it nothing of gRPC or sdk-node is loaded', async () => {
  const { service } = await start({
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc',
  })
  const loaded = async (one: Service) => (await (await fetch(`${one.url}/loaded`)).json()) as string[]
  expect(await loaded(service)).toContainEqual(expect.stringContaining('grpc-js'))
  for (const protocol of ['http/protobuf', 'http/json']) {
    const other = await start({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol })
    expect(await loaded(other.service)).toEqual([])
  }
})

test('an unavailable collector gets what waited when it is back, a refusal is final, and of a partial success the rejected part', async () => {
  const { service, receiver } = await start()
  receiver.answer = 14
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).down)
  receiver.answer = 0
  await until(() => receiver.spans.length === 1)
  await until(async () => !(await telemetry(service)).down)
  receiver.answer = 16
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).dropped === 1)
  receiver.answer = 0
  receiver.message = Buffer.from('0a020801', 'hex')
  await fetch(`${service.url}/hello`)
  expect(await until(async () => (await telemetry(service)).dropped === 2 && telemetry(service))).toMatchObject({
    made: 3,
    sent: 1,
    droppedFor: { refused: 1, rejected: 1 },
  })
})

test('a collector that tells how long it wants to be left alone is, and one that is full and does not say gets nothing again', async () => {
  const { service, receiver } = await start()
  // google.rpc.Status { details = Any { RetryInfo { retry_delay = 2 s } } }
  const type = 'type.googleapis.com/google.rpc.RetryInfo'
  const any = Buffer.concat([Buffer.from([10, type.length]), Buffer.from(type), Buffer.from([18, 4, 10, 2, 8, 2])])
  receiver.details = Buffer.concat([Buffer.from([8, 8, 26, any.length]), any])
  receiver.answer = 8
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).down)
  receiver.answer = 0
  await until(() => receiver.spans.length === 1)
  const [first, second] = receiver.calledAt as [number, number]
  // Without it the second call would come after 0.5 to 1 s.
  expect(second - first).toBeGreaterThan(1_900)
  expect(await telemetry(service)).toMatchObject({ made: 1, dropped: 0 })
  receiver.details = undefined
  receiver.answer = 8
  await fetch(`${service.url}/hello`)
  const refused = await until(async () => (await telemetry(service)).dropped === 1 && telemetry(service))
  expect(refused).toMatchObject({ droppedFor: { refused: 1 } })
})

test('a header that gRPC cannot send is said without its value, and the service runs', async () => {
  const { service } = await start({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=secret%0Aline' })
  expect((await fetch(`${service.url}/hello`)).status).toBe(200)
  expect(service.stderr()).toContain('spans are not sent')
  expect(service.stderr()).not.toContain('secret')
})

describe('the end of the process', () => {
  const ends = { '/crash': [1, null], '/exit': [7, null], '/finish': [0, null], SIGTERM: [null, 'SIGTERM'] }

  test.each(Object.keys(ends) as (keyof typeof ends)[])('by %s flushes over gRPC', async way => {
    const { service, receiver } = await start({ OTEL_BSP_SCHEDULE_DELAY: '60000' })
    if (way === 'SIGTERM') {
      await fetch(`${service.url}/hello`)
      service.child.kill(way)
    } else await fetch(service.url + way)
    expect(await service.ended).toEqual(ends[way])
    expect(receiver.spans.map(span => span.attributes['url.path'])).toEqual([way === 'SIGTERM' ? '/hello' : way])
  })

  test('waits at most 2 s for a collector that hangs', async () => {
    const receiver = await listen()
    receiver.answer = 'hang'
    const endBy = async (way: '/finish' | 'SIGTERM') => {
      const service = await startService('edge.mjs', sendingTo(receiver, { OTEL_BSP_SCHEDULE_DELAY: '0' }))
      await fetch(`${service.url}/hello`)
      await until(async () => (await telemetry(service)).waiting === 1)
      const from = performance.now()
      if (way === 'SIGTERM') service.child.kill(way)
      else await fetch(service.url + way)
      expect(await service.ended).toEqual(ends[way])
      // And what a busy machine may add; without the bound it would be 10 s.
      expect(performance.now() - from).toBeLessThan(4_000)
    }
    await Promise.all([endBy('/finish'), endBy('SIGTERM')])
  })
})
