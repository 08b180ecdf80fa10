import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type ArmRequest, type FaultMatch, signedTag } from '../src/faults/wire.ts'
import { type App, controlKey, runner, startRegistered } from './faults-app/start.ts'
import { fromProtobuf, type Received } from './otlp-receiver.ts'

let app: App
let control: ReturnType<typeof runner>
/** What the service called, and where its spans go. */
let outside: Server
let outsideUrl: string
const called: { url: string; headers: IncomingHttpHeaders }[] = []
const spans: Received[] = []

beforeAll(async () => {
  outside = createServer((request, response) => {
    called.push({ url: request.url ?? '', headers: request.headers })
    const chunks: Buffer[] = []
    request.on('data', chunk => chunks.push(chunk))
    request.on('end', () => {
      if (request.url === '/v1/traces') spans.push(...fromProtobuf(Buffer.concat(chunks)))
      response.end()
    })
  })
  await new Promise<void>(resolve => outside.listen(0, '127.0.0.1', resolve))
  outsideUrl = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`
  app = await startRegistered({
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_ENDPOINT: outsideUrl,
    OTEL_BSP_SCHEDULE_DELAY: '50',
  })
  control = runner(app.control!)
})
afterEach(async () => {
  for (const { id } of await control.list()) await control.disarm(id)
})
afterAll(async () => {
  await app?.stop()
  outside?.close()
  outside?.closeAllConnections()
})

const traceId = (i: number) => i.toString(16).padStart(32, 'a')
const within = (trace: string) => ({ traceparent: `00-${trace}-00f067aa0ba902b7-01` })
const arm = (id: string, effect: ArmRequest['effect'], match: FaultMatch, rest: Partial<ArmRequest> = {}) =>
  control.arm(id, { effect, match, percent: 100, scope: 'request', seed: 1, leaseMs: 60_000, ...rest })

interface AccessLine {
  trace_id: string
  'shaketable.fault.id'?: string
}
const accessLines = (trace: string) =>
  app.lines
    .filter(line => line.startsWith('{') && line.includes(trace))
    .map(line => JSON.parse(line) as AccessLine & Record<string, unknown>)

test('an injected fault stands in the access line and the counter of its service', async () => {
  await arm('err', { kind: 'error', status: 503 }, { direction: 'inbound' })
  expect((await fetch(`${app.url}/hello`, { headers: within(traceId(1)) })).status).toBe(503)
  await expect.poll(() => accessLines(traceId(1))).toMatchObject([{ 'shaketable.fault.id': 'err' }])
  const metrics = await (await fetch(`${app.admin}/metrics`)).text()
  expect(metrics).toMatch(/shaketable_faults_injected_total\{[^}]*shaketable_fault_id="err"[^}]*\} 1/)
})

test('health, metrics and fault control are never faulted, nor telemetry on its way out', async () => {
  await arm('in', { kind: 'reset' }, { direction: 'inbound' })
  await arm('out', { kind: 'reset' }, { direction: 'outbound' })
  for (const path of ['/livez', '/readyz', '/metrics', '/telemetry'])
    expect((await fetch(app.admin + path)).status).toBe(200)
  const sentBefore = called.filter(one => one.url === '/v1/traces').length
  await expect(fetch(`${app.url}/hello`, { headers: within(traceId(2)) })).rejects.toThrow()
  await expect.poll(() => called.filter(one => one.url === '/v1/traces').length).toBeGreaterThan(sentBefore)
  expect(await control.list()).toMatchObject([
    { id: 'in', seen: 1, hit: 1 },
    { id: 'out', seen: 0 },
  ])
})

test('a delayed request keeps its trace, names its caller, and the delay lies inside its spans', async () => {
  await arm('in', { kind: 'latency', delayMs: 60, jitterMs: 0 }, { direction: 'inbound' })
  await arm('out', { kind: 'latency', delayMs: 70, jitterMs: 0 }, { direction: 'outbound' })
  for (const [i, by] of ['fetch', 'node'].entries()) {
    const trace = traceId(30 + i)
    const reply = await fetch(`${app.url}/${by}?to=${outsideUrl}/${by}`, { headers: within(trace) })
    expect(await reply.json()).toMatchObject({ status: 200 })
    const { headers } = called.find(one => one.url === `/${by}`)!
    expect(headers.traceparent).toContain(trace)
    expect(headers.baggage).toContain('shaketable.caller=app')
    await expect.poll(() => accessLines(trace).length).toBe(1)
  }
  const metrics = await (await fetch(`${app.admin}/metrics`)).text()
  const { port } = new URL(outsideUrl)
  const sum = new RegExp(`http_client_request_duration_seconds_sum\\{[^}]*server_port="${port}"[^}]*\\} ([\\d.e-]+)`)
  expect(Number(sum.exec(metrics)?.[1])).toBeGreaterThan(0.135)
})

test('a fault in a call is marked on the span of the call and on that of the request, with what of the app lies between', async () => {
  const peers = [new URL(outsideUrl).host]
  await arm('late', { kind: 'latency', delayMs: 5, jitterMs: 0 }, { direction: 'outbound', peers })
  await arm('err', { kind: 'error', status: 503 }, { direction: 'outbound', peers, path: '/node' })
  await arm('in', { kind: 'latency', delayMs: 5, jitterMs: 0 }, { direction: 'inbound', path: '/fetch' })
  const mark = (...faults: string[][]) => ({
    'shaketable.fault.id': faults.map(([id]) => id).join(','),
    'shaketable.fault.kind': faults.map(([, kind]) => kind).join(','),
  })
  const late = ['late', 'latency']
  const cases = [
    { path: '/fetch', own: '', status: 200, request: mark(['in', 'latency'], late), call: mark(late) },
    { path: '/fetch', own: '&own', status: 200, request: mark(['in', 'latency'], late), call: mark(late) },
    { path: '/node', own: '', status: 503, request: mark(late, ['err', 'error']), call: mark(late, ['err', 'error']) },
    {
      path: '/node',
      own: '&own',
      status: 503,
      request: mark(late, ['err', 'error']),
      call: mark(late, ['err', 'error']),
    },
  ]
  for (const [i, { path, own, status, request, call }] of cases.entries()) {
    const trace = traceId(60 + i)
    const reply = await fetch(`${app.url}${path}?to=${outsideUrl}${path}${own}`, { headers: within(trace) })
    expect(await reply.json()).toMatchObject({ status })
    const made = () => spans.filter(span => span.traceId === trace)
    await expect.poll(() => made().length).toBe(own ? 3 : 2)
    const [server, client, between] = [2, 3, 1].map(kind => made().find(span => span.kind === kind))
    expect(server!.attributes).toMatchObject(request)
    expect(client!.attributes).toMatchObject(call)
    expect(between?.attributes['shaketable.fault.id']).toBeUndefined()
    await expect
      .poll(() => accessLines(trace))
      .toMatchObject([{ 'shaketable.fault.id': request['shaketable.fault.id'] }])
  }
  // What is ended by fetch itself, and what a spared call after it bears: nothing.
  await arm('err', { kind: 'error', status: 502 }, { direction: 'outbound', peers, path: '/struck' })
  await control.disarm('late')
  await fetch(`${app.url}/fetch?to=${outsideUrl}/struck`, { headers: within(traceId(70)) })
  await fetch(`${app.url}/fetch?to=${outsideUrl}/spared`, { headers: within(traceId(71)) })
  const callOf = (trace: string) => spans.find(span => span.traceId === trace && span.kind === 3)
  await expect.poll(() => callOf(traceId(70))?.attributes).toMatchObject(mark(['err', 'error']))
  await expect.poll(() => callOf(traceId(71))).toBeDefined()
  expect(callOf(traceId(71))!.attributes).not.toHaveProperty('shaketable.fault.id')
})

test('a fault in a call over HTTP/2 or of gRPC is marked in the access line and on the spans of its own request', async () => {
  const dependency = createHttp2Server()
  await new Promise<void>(resolve => dependency.listen(0, '127.0.0.1', resolve))
  const { port } = dependency.address() as AddressInfo
  const mark = { 'shaketable.fault.id': 'h2', 'shaketable.fault.kind': 'error' }
  await arm('h2', { kind: 'error', status: 503 }, { direction: 'outbound', peers: [`localhost:${port}`] })
  // The first call of each kind opens the connection, and the others wait for it.
  const ask = (path: string, trace: string) => fetch(app.url + path, { headers: within(trace) })
  const overHttp2 = [50, 51].map(async at => (await ask(`/http2?to=http://127.0.0.1:${port}`, traceId(at))).json())
  expect(await Promise.all(overHttp2)).toEqual([{ status: 503 }, { status: 503 }])
  await arm('h2', { kind: 'error', grpcStatus: 8 }, { direction: 'outbound', path: '/shop.Orders/Get' })
  const calls = [52, 53, 54].map(async at => (await ask(`/grpc?to=127.0.0.1:${port}`, traceId(at))).json())
  expect(await Promise.all(calls)).toEqual([{ status: 8 }, { status: 8 }, { status: 8 }])
  for (const at of [50, 51, 52, 53, 54]) {
    await expect.poll(() => accessLines(traceId(at))).toMatchObject([{ 'shaketable.fault.id': 'h2' }])
    const own = () => spans.filter(span => span.traceId === traceId(at)).toSorted((a, b) => a.kind - b.kind)
    await expect.poll(() => own().map(span => span.kind)).toEqual([2, 3])
    const [server, client] = own()
    expect(server!.attributes).toMatchObject(mark)
    expect(client!.parentSpanId).toBe(server!.spanId)
    expect(client!.attributes).toMatchObject(mark)
    if (at < 52) {
      const full = `http://127.0.0.1:${port}/second`
      expect(client!.attributes).toMatchObject({ 'url.full': full, 'http.response.status_code': 503 })
    }
  }
  const metrics = await (await fetch(`${app.admin}/metrics`)).text()
  expect(metrics).toMatch(/shaketable_faults_injected_total\{[^}]*shaketable_fault_id="h2"[^}]*\} 5/)
  dependency.close()
})

test('a fault with a tag strikes only what bears it signed and in time, and a false one goes no further', async () => {
  await arm('tagged', { kind: 'latency', delayMs: 1, jitterMs: 0 }, { direction: 'inbound', tag: 'run-7' })
  const tags = {
    signed: signedTag('run-7', controlKey, 600_000),
    another: signedTag('run-8', controlKey, 600_000),
    forged: signedTag('run-7', 'another-key-of-32-characters-too', 600_000),
    stale: signedTag('run-7', controlKey, -1),
  }
  const handedOn: Record<string, boolean> = {}
  const struck: Record<string, boolean> = {}
  for (const [at, [name, tag]] of Object.entries(tags).entries()) {
    const headers = { ...within(traceId(300 + at)), baggage: `tenant=acme,shaketable.tag=${tag}` }
    await (await fetch(`${app.url}/fetch?to=${outsideUrl}/${name}`, { headers })).json()
    const { baggage } = called.find(one => one.url === `/${name}`)!.headers
    expect(baggage).toContain('tenant=acme')
    handedOn[name] = String(baggage).includes(tag)
    await expect.poll(() => accessLines(traceId(300 + at)).length).toBe(1)
    struck[name] = accessLines(traceId(300 + at))[0]!['shaketable.fault.id'] === 'tagged'
  }
  expect(handedOn).toEqual({ signed: true, another: true, forged: false, stale: false })
  expect(struck).toEqual({ signed: true, another: false, forged: false, stale: false })
  await control.disarm('tagged')
  await arm('out', { kind: 'error', status: 503 }, { direction: 'outbound', tag: 'run-7' })
  const ask = async (tag: string) => {
    const headers = { baggage: `shaketable.tag=${tag}` }
    const answer = await fetch(`${app.url}/fetch?to=${outsideUrl}/out`, { headers })
    return ((await answer.json()) as { status: number }).status
  }
  expect([await ask(tags.signed), await ask(tags.forged)]).toEqual([503, 200])
})

test('in scope `request` every attempt of a request meets the same fate, in scope `attempt` its own', async () => {
  const fates = async (trace: string) => {
    const statuses = []
    for (let i = 0; i < 8; i++) statuses.push((await fetch(`${app.url}/hello`, { headers: within(trace) })).status)
    return new Set(statuses)
  }
  await arm('half', { kind: 'error', status: 500 }, { direction: 'inbound' }, { percent: 50 })
  const seen = new Set<number>()
  for (let i = 0; i < 12; i++) {
    const statuses = await fates(traceId(100 + i))
    expect(statuses.size).toBe(1)
    for (const status of statuses) seen.add(status)
  }
  expect(seen).toEqual(new Set([200, 500]))
  await arm('half', { kind: 'error', status: 500 }, { direction: 'inbound' }, { percent: 50, scope: 'attempt' })
  expect(await fates(traceId(200))).toEqual(new Set([200, 500]))
})

test('calls to fault control are not traffic of the service: no access line, no server metric', async () => {
  await control.list()
  const metrics = await (await fetch(`${app.admin}/metrics`)).text()
  expect(metrics).not.toContain('http_request_method="PUT"')
  expect(app.lines.filter(line => line.includes('/faults'))).toEqual([])
})

/** How many TCP sockets of a process listen, as Linux sees it. */
function listeners(pid: number): number {
  const open = new Set(
    readdirSync(`/proc/${pid}/fd`).map(fd => {
      try {
        return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1]
      } catch {
        return undefined
      }
    }),
  )
  const rows = readFileSync(`/proc/${pid}/net/tcp`, 'utf8').trim().split('\n').slice(1)
  return rows.map(row => row.trim().split(/\s+/)).filter(cells => cells[3] === '0A' && open.has(cells[9])).length
}

test.runIf(process.platform === 'linux')('with faults not enabled nothing more listens', async () => {
  const off = await startRegistered({ SHAKETABLE_FAULTS: 'off' })
  try {
    expect(listeners(off.child.pid!)).toBe(2)
    expect(listeners(app.child.pid!)).toBe(3)
    expect(off.lines.filter(line => line.includes('fault'))).toEqual([])
  } finally {
    await off.stop()
  }
})
