import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
beforeEach(() => {
  receiver.spans.length = 0
})
afterEach(stopServices)
afterAll(() => receiver.close())

const start = (more: Record<string, string> = {}) =>
  startService('hostile.mjs', {
    env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, ...more },
  })
const get = async (service: Service, path: string, headers: Record<string, string> = {}) =>
  (await fetch(service.url + path, { headers })).text()
const clientSpan = () => until(() => receiver.spans.find(span => span.kind === 3))
const metrics = async (service: Service) => (await fetch(`${service.adminUrl}/metrics`)).text()

test.each(['http/protobuf', 'http/json'])(
  'spans with impossible times, names, values and links are sent over %s, and nothing falls',
  async protocol => {
    const service = await start({ OTEL_EXPORTER_OTLP_PROTOCOL: protocol })
    await get(service, '/spans')
    await until(() => receiver.spans.length >= 4)
    expect(receiver.spans.map(span => span.name).sort()).toEqual(['GET', 'early', 'odd', 'undefined'])
    const odd = receiver.spans.find(span => span.name === 'odd')!
    expect(odd).toMatchObject({ links: [], events: [{ name: 'undefined', attributes: { a: 1 } }] })
    expect(String(odd.attributes.nan)).toBe('NaN')
    expect(await get(service, '/hello')).toBe('hello')
  },
)

test('baggage that has no encoding is sent as well as it can be', async () => {
  const service = await start()
  const seen = JSON.parse(await get(service, '/baggage')) as Record<string, string[]>
  expect(seen.baggage).toEqual(['half=%EF%BF%BD,line=a%0D%0Ab'])
})

test.each([
  ['fetch', '/pass-on'],
  ['node:http with serialised headers', '/expect'],
])("a caller's traceparent that the app passes on by %s is replaced, not doubled", async (_how, path) => {
  const service = await start()
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const seen = JSON.parse(await get(service, path, { traceparent })) as Record<string, string[]>
  const call = await clientSpan()
  expect(seen.traceparent).toEqual([`00-${call.traceId}-${call.spanId}-01`])
  expect(seen).toMatchObject(path === '/expect' ? { host: ['a'], expect: ['100-continue'] } : { 'x-other': ['kept'] })
})

test('a Host header that a caller chose is no label', async () => {
  const service = await start()
  await get(service, '/foreign-host')
  const call = await clientSpan()
  expect(call.attributes).toMatchObject({ 'server.address': '127.0.0.1' })
  const text = await metrics(service)
  expect(text).not.toContain('chosen.by.the.caller')
  expect(text).toContain(`server_address="127.0.0.1",server_port="${call.attributes['server.port']}"`)
  expect(call.attributes['server.port']).not.toBe(80)
})

test('an answer that is cut off is a client span with the error', async () => {
  const service = await start()
  await get(service, '/cut-off')
  expect(await clientSpan()).toMatchObject({
    status: { code: 2 },
    attributes: { 'http.response.status_code': 200, 'error.type': 'ECONNRESET' },
  })
})

test.each(['/upgrade', '/websocket'])('an upgrade by %s is a client span that succeeded', async path => {
  const service = await start()
  expect(await get(service, path)).toBe('upgraded')
  const call = await clientSpan()
  expect(call).toMatchObject({ status: { code: 0 }, attributes: { 'http.response.status_code': 101 } })
  expect(call.attributes).not.toHaveProperty('error.type')
})

test("the message of the app's own error status stays", async () => {
  const service = await start()
  await get(service, '/own-error')
  const span = await until(() => receiver.spans.find(one => one.kind === 2))
  expect(span).toMatchObject({
    status: { code: 2, message: 'out of stock' },
    attributes: { 'error.type': '500' },
  })
})

test('pipelined requests whose connection goes away are all ended, so that a drain does not wait for them', async () => {
  const service = await start()
  const socket = connect(Number(new URL(service.url).port), '127.0.0.1')
  await once(socket, 'connect')
  socket.write(['/hang', '/hang', '/hello'].map(path => `GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`).join(''))
  await until(async () => / 3\n/.test((/active_requests\{.*\n/.exec(await metrics(service)) ?? [''])[0]))
  socket.destroy()
  await until(async () => / 0\n/.test((/active_requests\{.*\n/.exec(await metrics(service)) ?? [''])[0]))
  const from = performance.now()
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  expect(performance.now() - from).toBeLessThan(5_000)
  expect(service.lines().map(line => line['error.type'])).toEqual(['aborted', 'aborted', 'aborted'])
})
