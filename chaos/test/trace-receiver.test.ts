/** A real service exports its spans to the runner, in either encoding, and they go on to where the user wants them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { TraceReceiver } from '../src/observe/trace-receiver.ts'
import { systemClock } from '../src/world.ts'

/** Answers one request of its own with a 503, and ends. */
const service = `
  import { createServer } from 'node:http'
  const server = createServer((request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1', async () => {
    await (await fetch('http://127.0.0.1:' + server.address().port + '/x')).text()
    server.closeAllConnections()
    server.close()
  })`

let receiver: TraceReceiver
let users: TraceReceiver
beforeAll(async () => {
  receiver = await TraceReceiver.start(systemClock)
  users = await TraceReceiver.start(systemClock)
})
afterAll(async () => {
  await receiver.close()
  await users.close()
})

async function runService(protocol: string, endpoint: string): Promise<void> {
  const args = ['--import', '@shaketable/sdk/register', '--input-type=module', '--eval', service]
  const env = {
    ...process.env,
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=shop-1',
    OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: endpoint,
    OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: protocol,
    OTEL_EXPORTER_PROMETHEUS_PORT: '0',
    NODE_OPTIONS: '--conditions=@shaketable/source',
  }
  await promisify(execFile)(process.execPath, args, { env, cwd: import.meta.dirname })
}

describe.each(['http/json', 'http/protobuf'])('spans that come as %s', protocol => {
  test('are kept as they are, on the clock of the runner, and sent on', async () => {
    const begun = systemClock.now()
    receiver.begin()
    users.begin()
    await runService(protocol, receiver.urlFor(users.urlFor()))
    const { spans, keptShare } = receiver.received()
    expect(keptShare).toBe(1)
    const [server, client] = (['server', 'client'] as const).map(kind => spans.find(span => span.kind === kind)!)
    expect(server).toMatchObject({ service: 'shop', instance: 'shop-1', status: 503, error: true, errorType: '503' })
    expect(client).toMatchObject({ service: 'shop', parentId: '', status: 503, error: true })
    expect(server).toMatchObject({ traceId: client?.traceId, parentId: client?.spanId })
    expect(client?.peer).toMatch(/^127\.0\.0\.1:\d+$/)
    for (const { start, end } of spans) {
      expect(start).toBeGreaterThan(begun - 1000)
      expect(end).toBeGreaterThanOrEqual(start)
      expect(end).toBeLessThan(systemClock.now() + 1000)
    }
    await expect.poll(() => users.received().spans.length, { timeout: 10_000 }).toBe(spans.length)
  })
})

test('whoever does not know the path, or sends something else, is refused, and it goes on', async () => {
  receiver.begin()
  const url = receiver.urlFor()
  const post = async (to: string | URL, body: string, type = 'application/json') =>
    (await fetch(to, { method: 'POST', body, headers: { 'content-type': type } })).status
  expect(await post(new URL('/v1/traces', url), '{}')).toBe(404)
  expect(await post(url, '{')).toBe(400)
  expect(await post(url, '\xff\xff\xff\xff', 'application/x-protobuf')).toBe(400)
  expect(await post(url, '{}')).toBe(200)
  expect(receiver.received()).toEqual({ spans: [], keptShare: 1 })
})

test('where it was told to listen anybody may send, and the other signals are taken and not kept', async () => {
  const open = await TraceReceiver.start(systemClock, { listen: '127.0.0.1:0' })
  const { openUrl = '' } = open
  expect(openUrl).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1\/traces$/)
  const span = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), kind: 2 }
  const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] })
  const post = async (url: string, body: string | Uint8Array<ArrayBuffer>, headers = {}) =>
    (await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } })).status
  expect(await post(openUrl, body)).toBe(200)
  for (const other of ['metrics', 'logs']) expect(await post(openUrl.replace('traces', other), '{ no json')).toBe(200)
  // 64 MiB of nothing, in 64 kB.
  const bomb = gzipSync(Buffer.alloc(64 * 2 ** 20))
  expect(await post(openUrl, new Uint8Array(bomb), { 'content-encoding': 'gzip' })).toBe(400)
  expect(open.received().spans.length).toBe(1)
  const again = TraceReceiver.start(systemClock, { listen: new URL(openUrl).host })
  await expect(again).rejects.toMatchObject({ code: 'SHAKETABLE_ADDRESS_TAKEN', exitCode: 2 })
  await open.close()
})

test('of too many whole traces are left out, and the share that was kept is told', async () => {
  const small = await TraceReceiver.start(systemClock, { mostSpans: 1000 })
  const url = small.urlFor()
  for (let request = 0; request < 12; request++) {
    const spans = Array.from({ length: 100 }, (_, index) => ({
      traceId: (Math.imul(request * 50 + (index >> 1), 0x9e3779b1) >>> 0).toString(16).padStart(32, '0'),
      spanId: String(index),
    }))
    const body = JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans }] }] })
    await fetch(url, { method: 'POST', body, headers: { 'content-type': 'application/json' } })
  }
  const { spans, keptShare } = small.received()
  await small.close()
  expect(keptShare).toBe(0.5)
  expect(spans.length).toBeLessThanOrEqual(1000)
  expect([...Map.groupBy(spans, span => span.traceId).values()].every(spans => spans.length % 2 === 0)).toBe(true)
})
