import { once } from 'node:events'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { connect as connectTcp } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

test('requests over HTTP/2 are observed and drained as those over HTTP/1.1 are, gRPC and WebSockets aside', async () => {
  const receiver = await startReceiver()
  const service = await startService('http2.mjs', {
    env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url },
  })
  const session = connect(service.url).on('error', () => {})
  await once(session, 'remoteSettings')
  const ask = async (headers: OutgoingHttpHeaders, body?: string) => {
    const stream = session.request(headers, { endStream: body === undefined })
    if (body !== undefined) stream.end(body)
    const [answer] = await once(stream.resume(), 'response')
    await once(stream, 'close')
    return answer[':status']
  }
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`
  expect(await ask({ ':path': '/orders/7?q=1', traceparent })).toBe(200)
  expect(await ask({ ':path': '/streams/7', ':method': 'POST' }, 'body')).toBe(201)
  expect(await ask({ ':path': '/none' })).toBe(404)
  expect(await ask({ ':path': '/Call', ':method': 'POST', 'content-type': 'application/grpc' }, '')).toBe(200)
  expect(await ask({ ':path': '/socket', ':method': 'CONNECT', ':protocol': 'websocket' }, '')).toBe(200)
  const hanging = session.request({ ':path': '/hang' })
  const metrics = async () => (await fetch(`${service.adminUrl}/metrics`)).text()
  await until(async () => /active_requests\{.*\} 1\n/.test(await metrics()))
  hanging.close(8)
  await until(async () => /active_requests\{http_request_method="GET".*\} 0\n/.test(await metrics()))

  const counted = [...(await metrics()).matchAll(/http_server_\w+_(?:count|total)\{(.*)\} (\d+)/g)]
  expect(counted.map(([, labels, count]) => `${labels} ${count}`)).toMatchInlineSnapshot(`
    [
      "http_request_method="GET",http_route="/orders/:id",http_response_status_code="200",url_scheme="http",error_type="" 1",
      "http_request_method="POST",http_route="/streams/:id",http_response_status_code="201",url_scheme="http",error_type="" 1",
      "http_request_method="GET",http_route="",http_response_status_code="404",url_scheme="http",error_type="" 1",
      "http_request_method="GET",http_route="",http_response_status_code="",url_scheme="http",error_type="aborted" 1",
      "network_protocol_name="websocket" 1",
    ]
  `)

  const upload = session.request({ ':path': '/streams/8', ':method': 'POST' })
  await until(async () => /active_requests\{http_request_method="POST".*\} 1\n/.test(await metrics()))
  service.child.kill()
  await until(async () => (await fetch(`${service.adminUrl}/readyz`)).status === 503)
  upload.end('body')
  const [answer] = await once(upload.resume(), 'response')
  expect(answer[':status']).toBe(201)
  expect(await service.ended).toEqual([null, 'SIGTERM'])

  const access = service.lines().filter(line => line.msg === 'request completed')
  const seen = access.map(line => ['url.path', 'http.route', 'http.response.status_code'].map(name => line[name]))
  expect(seen).toEqual([
    ['/orders/7', '/orders/:id', 200],
    ['/streams/7', '/streams/:id', 201],
    ['/none', undefined, 404],
    ['/hang', undefined, undefined],
    ['/streams/8', '/streams/:id', 201],
  ])
  const servers = receiver.spans.filter(span => span.kind === 2)
  expect(servers.map(span => span.spanId)).toEqual(access.map(line => line.span_id))
  expect(servers[0]).toMatchObject({
    traceId,
    parentSpanId: '00f067aa0ba902b7',
    name: 'GET /orders/:id',
    attributes: {
      'url.path': '/orders/7',
      'url.query': 'q=1',
      'url.scheme': 'http',
      'server.address': '127.0.0.1',
      'server.port': Number(new URL(service.url).port),
      'network.protocol.version': '2',
    },
  })
  expect(servers[3]).toMatchObject({ name: 'GET', attributes: { 'error.type': 'aborted' }, status: { code: 2 } })
  const others = receiver.spans.filter(span => span.kind !== 2).map(span => [span.name, span.parentSpanId])
  expect(others).toEqual([
    ['price', servers[0]!.spanId],
    ['upload', servers[1]!.spanId],
    ['upload', servers[4]!.spanId],
  ])
  await receiver.close()
})

test('a WebSocket upgrade is counted, and makes no span and no access line', async () => {
  const service = await startService('shapes.mjs', { env: { SHAPE: 'upgraded' } })
  for (const protocol of ['WebSocket', 'x']) {
    const socket = connectTcp(Number(new URL(service.url).port), '127.0.0.1').on('error', () => {})
    socket.write(`GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: ${protocol}\r\n\r\n`)
    await once(socket, 'data')
    socket.destroy()
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  expect([...metrics.matchAll(/^http_server_(?!.*(?:TYPE|HELP)).*$/gm)].map(String)).toEqual([
    'http_server_upgrades_total{network_protocol_name="websocket"} 1',
    'http_server_upgrades_total{network_protocol_name="other"} 1',
  ])
  service.child.kill()
  await service.ended
  expect(service.lines()).toEqual([])
})

test('requests that a service makes over HTTP/2 are client spans, and their server spans the children', async () => {
  const receiver = await startReceiver()
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  const next = await startService('http2.mjs', { env })
  const service = await startService('http2-client.mjs', { env: { ...env, NEXT_URL: next.url } })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  expect(await (await fetch(service.url, { headers: { traceparent } })).text()).toBe('done')
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  service.child.kill()
  await service.ended
  next.child.kill()
  await next.ended
  await receiver.close()

  const { port } = new URL(next.url)
  const called = receiver.spans.filter(span => span.kind === 3).sort((a, b) => Number(a.startNano - b.startNano))
  const entry = receiver.spans.find(span => span.parentSpanId === '00f067aa0ba902b7')!
  expect(called.map(span => [span.name, span.parentSpanId])).toEqual(called.map(() => ['GET', entry.spanId]))
  expect(called.map(span => span.attributes)).toMatchObject([
    {
      'url.full': `http://127.0.0.1:${port}/orders/7?token=REDACTED`,
      'http.response.status_code': 200,
      'server.address': '127.0.0.1',
      'server.port': Number(port),
      'network.protocol.version': '2',
    },
    { 'http.response.status_code': 404, 'error.type': '404' },
    { 'error.type': 'ERR_HTTP2_STREAM_CANCEL' },
  ])
  const children = called.map(({ spanId }) => receiver.spans.filter(span => span.parentSpanId === spanId))
  expect(children.map(all => all.map(span => [span.kind, span.attributes['url.path']]))).toEqual([
    [[2, '/orders/7']],
    [[2, '/none']],
    [[2, '/hang']],
  ])
  const inner = receiver.spans.filter(span => span.name.startsWith('answer'))
  expect(inner.map(span => [span.name, span.parentSpanId])).toEqual(
    ['200', '404', '200'].map(status => [`answer ${status}`, entry.spanId]),
  )
  const counted = metrics.matchAll(/http_client_\w+_count\{.*status_code="(\d*)",error_type="(\w*)"\} (\d+)/g)
  expect([...counted].map(([, ...one]) => one.join(' '))).toEqual(['200  1', '404 404 1', ' ERR_HTTP2_STREAM_CANCEL 1'])
})
