import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { rolldown } from 'rolldown'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Received, type Receiver, startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

/** What hurts elsewhere, by number, where it is tested in a file of its own: the file and the title of the test. */
const elsewhere: Record<string, [file: string, title: string][]> = {
  '3 bundles of esbuild, and 4 tsx': [
    ['runtimes.real.test.ts', 'TypeScript by tsx'],
    ['runtimes.real.test.ts', 'an ESM bundle of esbuild'],
  ],
  '5 SIGTERM is swallowed': [
    ['lifecycle.test.ts', 'nothing new gets in, the exit status is the signal'],
    ['shapes.test.ts', 'a second signal ends a drain at once'],
  ],
  '6 the spans of a crash are lost': [
    ['lifecycle.test.ts', 'ends the process as it would without the SDK, and spans and log lines are out'],
  ],
  '7 a collector that is down is silence and a long end': [
    ['collector-down.test.ts', 'a dead collector is one line, spans wait in a bounded queue, and every one is counted'],
    ['collector-down.test.ts', 'a collector that never answers delays no kind of end for more than 2 s'],
  ],
  '9 two copies of the API make no-op spans: of one that cannot reach us': [
    ['doctor.test.ts', 'a copy of the API that does not reach the SDK is found, and so is what its spans become'],
  ],
  '10 the names of metrics': [
    ['meters.test.ts', 'stands on /metrics beside our own, under names of Prometheus'],
    ['metrics-otlp.test.ts', 'at the end of the process, under OpenTelemetry names'],
  ],
  '12 http.route is missing or wrong': [
    ['routes.test.ts', 'http.route is the template, of mounted routers and pattern lists too, and never a raw path'],
    ['frameworks.test.ts', 'one span, one series and one access line a request, by template'],
  ],
  '15 "metric already registered" crashes; OTEL_CONFIG_FILE is ignored in silence; OTEL_SDK_DISABLED still patches': [
    ['metrics.test.ts', "the app's own prom-client metrics are there in both formats, and a clash is one warning"],
    ['config-file.test.ts', 'what it cannot say is refused with its place'],
    ['disabled.test.ts', 'OTEL_SDK_DISABLED=true loads one small file, patches nothing and listens nowhere'],
  ],
}

const fixtures = fileURLToPath(new URL('fixtures', import.meta.url))
const maxSeries = 20
let folder: string
let receiver: Receiver
let service: Service
let server: Received
let ofTrace: Received[]

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-pains-'))
  const api = fileURLToPath(new URL('../../node_modules/@opentelemetry/api', import.meta.url))
  cpSync(api, join(folder, 'api'), { recursive: true })
  const { main } = JSON.parse(readFileSync(join(api, 'package.json'), 'utf8')) as { main: string }
  receiver = await startReceiver()
  service = await startService('pains.mjs', {
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      SHAKETABLE_MAX_SERIES: String(maxSeries),
      OTHER_API: join(folder, 'api', main),
    },
  })
  await fetch(`${service.url}/users/first`)
  server = await until(() => receiver.spans.find(span => span.attributes['url.path'] === '/users/first'))
  ofTrace = await until(() => {
    const spans = receiver.spans.filter(span => span.traceId === server.traceId)
    return spans.length >= 8 && spans
  })
})
afterAll(async () => {
  await stopServices()
  await receiver.close()
  rmSync(folder, { recursive: true })
})

test('pain 1, ES modules are silently half instrumented: framework and logger imported by name are seen', async () => {
  expect(server).toMatchObject({ name: 'GET /users/:id', attributes: { 'http.route': '/users/:id' } })
  const line = await until(() => service.lines().find(one => one.msg === 'in an ES module'))
  expect(line).toMatchObject({ trace_id: server.traceId, span_id: server.spanId })
})

test('pain 2, client spans are doubled or missing in ES modules: one for each call, however it is imported', () => {
  const calls = ofTrace.filter(span => span.kind === 3)
  expect(calls.map(call => [call.name, call.parentSpanId])).toEqual(Array(3).fill(['GET', server.spanId]))
  const leaves = ofTrace.filter(span => span.attributes['url.path'] === '/leaf')
  expect(leaves.map(leaf => leaf.parentSpanId).sort()).toEqual(calls.map(call => call.spanId).sort())
})

test('pain 3, bundled ES modules crash: a bundle runs, and is observed from outside of it', async () => {
  const bundle = await rolldown({
    input: fileURLToPath(new URL('fixtures/express5.mjs', import.meta.url)),
    platform: 'node',
    external: ['pino'],
  })
  // Where it finds the packages that are left out of it.
  const rooms = fileURLToPath(new URL('../node_modules', import.meta.url))
  mkdirSync(rooms, { recursive: true })
  const out = mkdtempSync(join(rooms, '.bundle-'))
  try {
    await bundle.write({ dir: out, format: 'esm', entryFileNames: 'service.mjs' })
    const bundled = await startService(relative(fixtures, join(out, 'service.mjs')), {
      env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url, OTEL_SERVICE_NAME: 'bundled' },
    })
    expect(await (await fetch(`${bundled.url}/users/1/orders/7`)).json()).toEqual({ id: '7' })
    const span = await until(() => receiver.spans.find(one => one.resource['service.name'] === 'bundled'))
    expect(span).toMatchObject({ kind: 2, attributes: { 'http.response.status_code': 200 } })
    const line = await until(() => bundled.lines().find(one => one.msg === 'reading an order'))
    expect(line).toMatchObject({ trace_id: span.traceId })
  } finally {
    await bundle.close()
    rmSync(out, { recursive: true })
  }
})

test('pain 8, duplicate packages: an install has one copy of the API and one of the core', () => {
  const lock = JSON.parse(readFileSync(new URL('../../package-lock.json', import.meta.url), 'utf8'))
  for (const name of ['@opentelemetry/api', '@opentelemetry/core']) {
    const copies = Object.keys(lock.packages).filter(path => path.endsWith(`node_modules/${name}`))
    expect(copies).toEqual([`node_modules/${name}`])
  }
})

test('pain 9, a second copy of the API makes no-op spans: its spans are children like any other', () => {
  expect(ofTrace.find(span => span.name === 'second copy')).toMatchObject({
    parentSpanId: server.spanId,
    scope: 'by a second copy',
  })
})

test('pain 11, no exemplars: the histogram names a trace that arrived', async () => {
  const headers = { accept: 'application/openmetrics-text' }
  const text = await (await fetch(`${service.adminUrl}/metrics`, { headers })).text()
  const [, traceId] = /request_duration_seconds_bucket\{[^}]*"\/users\/:id".*# \{trace_id="(\w{32})"/.exec(text)!
  expect(traceId).toBe(server.traceId)
})

test("pain 13, series explode: callers' values are folded, and one line names the label", async () => {
  await Promise.all(Array.from({ length: 2 * maxSeries }, (_, at) => fetch(`${service.url}/users/${at}`)))
  await Promise.all(Array.from({ length: 2 * maxSeries }, (_, at) => fetch(`${service.url}/wp-admin/${at}`)))
  const text = await (await fetch(`${service.adminUrl}/metrics`)).text()
  const series = (name: string) => text.split('\n').filter(line => line.startsWith(`${name}{`)).length
  expect(series('sold_total')).toBeLessThanOrEqual(maxSeries + 1)
  expect(series('http_server_request_duration_seconds_count')).toBe(3)
  await until(() => service.stderr().match(/sold_total.*customer/g)?.length === 1)
})

test('pain 14, spans are noise: a request with middleware is one span', () => {
  const names = ofTrace.filter(span => span.kind !== 3).map(span => span.name)
  expect(names.sort()).toEqual(['GET /leaf', 'GET /leaf', 'GET /leaf', 'GET /users/:id', 'second copy'])
})

describe.each(Object.entries(elsewhere))('pain %s', (_pain, tests) => {
  test.each(tests)('is tested in %s: %s', (file, title) => {
    const text = readFileSync(join(dirname(fileURLToPath(import.meta.url)), file), 'utf8')
    expect(text).toContain(title)
  })
})
