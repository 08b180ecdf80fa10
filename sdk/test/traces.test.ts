import { hostname } from 'node:os'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import sdk from '../package.json' with { type: 'json' }
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
beforeEach(() => {
  receiver.spans.length = 0
  receiver.requests.length = 0
})
afterEach(stopServices)
afterAll(() => receiver.close())

const sending = (more: Record<string, string> = {}) => ({
  env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...more },
})

describe.each(['http/protobuf', 'http/json'])('over OTLP %s', protocol => {
  test('spans made through the API are children of the server span, with all that they carry', async () => {
    const service = await startService(
      'api.ts',
      sending({
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        OTEL_EXPORTER_OTLP_COMPRESSION: 'gzip',
        OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=shop%201',
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=tested-1,deployment.environment.name=ci',
      }),
    )
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    await fetch(`${service.url}/any?q=1`, { headers: { traceparent: `00-${traceId}-00f067aa0ba902b7-01` } })
    await until(() => receiver.spans.length >= 2)
    const [price, server, ...more] = receiver.spans
    expect(more).toEqual([])
    expect(server).toMatchObject({
      traceId,
      parentSpanId: '00f067aa0ba902b7',
      name: 'GET',
      kind: 2,
      scope: '@shaketable/sdk',
      status: { code: 0 },
      attributes: {
        'http.request.method': 'GET',
        'http.response.status_code': 200,
        'url.path': '/any',
        'url.query': 'q=1',
        'url.scheme': 'http',
        'server.address': '127.0.0.1',
        customer: 'c-7',
      },
      resource: {
        'service.name': 'tested',
        'service.instance.id': 'tested-1',
        'deployment.environment.name': 'ci',
        'process.runtime.name': 'nodejs',
        'host.name': hostname(),
        'service.version': sdk.version,
      },
    })
    expect(server!.attributes).not.toHaveProperty('http.route')
    expect(price).toMatchObject({
      traceId,
      parentSpanId: server!.spanId,
      name: 'price',
      kind: 1,
      scope: 'shop',
      attributes: { sku: 'A1', count: -3, ratio: 0.5, tags: ['a', 'b'] },
      status: { code: 2, message: 'too dear' },
      links: [{ traceId, spanId: server!.spanId }],
    })
    expect(price!.events.map(event => event.name)).toEqual(['looked up', 'exception'])
    expect(price!.events[0]!.attributes).toEqual({ cache: false })
    expect(price!.events[1]!.attributes).toMatchObject({ 'exception.type': 'RangeError' })
    expect(price!.startNano).toBeGreaterThanOrEqual(server!.startNano)
    expect(price!.endNano).toBeLessThanOrEqual(server!.endNano)
    expect(receiver.requests[0]).toMatchObject({ path: '/v1/traces', headers: { 'x-tenant': 'shop 1' } })
  })
})

test.each(['/fetch', '/http'])('a call by %s is one client span, and its server span is the child', async path => {
  const next = await startService('edge.mjs', sending({ OTEL_SERVICE_NAME: 'next' }))
  const service = await startService('edge.mjs', sending({ NEXT_URL: next.url }))
  const answer = await fetch(service.url + path, { headers: { baggage: 'tenant=a%20b' } })
  const body = await answer.text()
  if (path === '/fetch') expect(JSON.parse(body)).toMatchObject({ baggage: 'tenant=a%20b' })
  await until(() => receiver.spans.length >= 3)
  expect(receiver.spans).toHaveLength(3)
  const entry = receiver.spans.find(span => span.kind === 2 && span.resource['service.name'] === 'tested')!
  const call = receiver.spans.find(span => span.kind === 3)!
  const echo = receiver.spans.find(span => span.resource['service.name'] === 'next')!
  expect(call).toMatchObject({
    traceId: entry.traceId,
    parentSpanId: entry.spanId,
    name: 'GET',
    attributes: {
      'url.full': `${next.url}/echo`,
      'server.port': Number(new URL(next.url).port),
      'http.response.status_code': 200,
    },
  })
  expect(echo).toMatchObject({ traceId: entry.traceId, parentSpanId: call.spanId })
})

test('a refused connection is a client span with the error, and the caller gets its own error', async () => {
  const service = await startService('edge.mjs', sending())
  await fetch(`${service.url}/refused`)
  const call = await until(() => receiver.spans.find(span => span.kind === 3))
  expect(call).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'ECONNREFUSED' } })
})

test('a request whose client goes away is one span that says so', async () => {
  const service = await startService('edge.mjs', sending())
  await fetch(`${service.url}/hang`, { signal: AbortSignal.timeout(50) }).catch(() => {})
  const span = await until(() => receiver.spans.find(one => one.kind === 2))
  expect(span).toMatchObject({ status: { code: 2 }, attributes: { 'error.type': 'aborted' } })
  expect(span.attributes).not.toHaveProperty('http.response.status_code')
})

test('pg queries of a request are spans of it, queries outside of a span are only counted', async () => {
  const service = await startService('pg.mjs', sending())
  await fetch(service.url)
  await until(() => receiver.spans.some(span => span.kind === 2))
  const server = receiver.spans.find(span => span.kind === 2)!
  const query = receiver.spans.find(span => span.attributes['db.query.text'] !== undefined)!
  expect(query).toMatchObject({
    traceId: server.traceId,
    parentSpanId: server.spanId,
    kind: 3,
    scope: '@opentelemetry/instrumentation-pg',
    attributes: { 'db.system.name': 'postgresql', 'db.namespace': 'orders' },
  })
  expect(receiver.spans.every(span => span.traceId === server.traceId)).toBe(true)
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  const peer = /server_address="127.0.0.1",server_port="\d+",error_type=""/.source
  const counted = `_count{db_system_name="postgresql",db_namespace="orders",db_operation_name="SELECT",${peer}} 2$`
  expect(metrics).toMatch(new RegExp(`^db_client_operation_duration_seconds${counted}`, 'm'))
  expect(metrics).toMatch(/^db_client_connection_count\{.*instrumentation-pg".*\} \d/m)
  expect(service.stderr()).not.toContain('two sources')
})

test('what is disabled alone makes no spans, and the rest makes its own', async () => {
  const service = await startService('pg.mjs', sending({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'fs,pg' }))
  await fetch(service.url)
  service.child.kill()
  await service.ended
  expect(receiver.spans.map(({ kind }) => kind)).toEqual([2])

  receiver.spans.length = 0
  const next = await startService('edge.mjs')
  const only = { NEXT_URL: next.url, OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'undici,pino' }
  const calling = await startService('edge.mjs', sending(only))
  for (const path of ['/fetch', '/http']) expect((await fetch(calling.url + path)).status).toBe(200)
  calling.child.kill()
  await calling.ended
  expect(receiver.spans.map(({ kind, attributes }) => [kind, attributes['url.full']])).toEqual([
    [3, `${next.url}/echo`],
  ])
  expect(calling.lines()).toEqual([])
})

test('an unsampled request sends nothing but keeps its ids for the next service', async () => {
  const next = await startService('edge.mjs', sending())
  const service = await startService('edge.mjs', sending({ NEXT_URL: next.url, OTEL_TRACES_SAMPLER: 'always_off' }))
  const seen = (await (await fetch(`${service.url}/fetch`)).json()) as Record<string, string>
  expect(seen.traceparent).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  const accessLine = await until(() => service.lines().find(line => line['url.path'] === '/fetch'))
  expect(seen.traceparent).toContain(accessLine.trace_id)
  service.child.kill()
  next.child.kill()
  await Promise.all([service.ended, next.ended])
  expect(receiver.spans).toEqual([])
})
