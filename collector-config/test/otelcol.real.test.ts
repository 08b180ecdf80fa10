import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { freePort } from '../../.ci/tools/free-port.ts'
import { goProgram } from '../../.ci/tools/go.ts'
import { type Receiver, startReceiver } from '../../sdk/test/otlp-receiver.ts'
import { type Service, startService, stopServices } from '../../sdk/test/service.ts'
import { otelcolFile, startCollector } from './backend.ts'
import { run, stopEngines, until } from './processes.ts'

let otelcol: string
let folder: string
let gateway: Receiver
let port: number

beforeAll(() => {
  otelcol = goProgram('otelcol')
})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-otelcol-'))
  gateway = await startReceiver()
  port = await freePort()
})

afterEach(async () => {
  await stopServices()
  await stopEngines()
  await gateway.close()
  rmSync(folder, { recursive: true, force: true })
})

const startAgent = (env: Record<string, string> = {}) =>
  startCollector(['agent.yaml'], { folder, port, env: { GATEWAY_ENDPOINT: gateway.url, ...env } })

const startTracedService = () =>
  startService('edge.mjs', {
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
      OTEL_BSP_MAX_QUEUE_SIZE: '100000',
    },
  })

/** A request in a trace of its own, whose id is returned. */
async function request(service: Service): Promise<string> {
  const traceId = randomBytes(16).toString('hex')
  const traceparent = `00-${traceId}-${randomBytes(8).toString('hex')}-01`
  await (await fetch(`${service.url}/hello`, { headers: { traceparent } })).text()
  return traceId
}

test.each([
  [['agent.yaml']],
  [['gateway.yaml']],
  ...['zipkin', 'jaeger', 'elastic'].map(place => [['gateway.yaml', `also/${place}.yaml`]]),
])('the collector accepts %j', files => {
  const configs = files.map(file => `--config=${otelcolFile(file)}`)
  expect(run(otelcol, ['validate', ...configs])).toMatchObject({ code: 0 })
})

test('a request’s span and its line of log reach the gateway, with the request’s trace id and the service’s name', async () => {
  const anything = await startAnyReceiver()
  await startAgent({ GATEWAY_ENDPOINT: anything.url })
  const service = await startTracedService()
  const traceId = await request(service)
  const span = await until(() => anything.got['/v1/traces'])
  expect(span.includes(Buffer.from(traceId, 'hex'))).toBe(true)

  const line = await until(() => service.lines().find(({ trace_id }) => trace_id === traceId))
  appendFileSync(join(folder, 'lines-2.log'), `${JSON.stringify(line)}\n`)
  const sent = await until(() => anything.got['/v1/logs'])
  // As the record's own field the id is 16 bytes; in the line, which is sent too, it is text.
  expect(sent.includes(Buffer.from(traceId, 'hex'))).toBe(true)
  // The file's name up to the number of the instance, as a value of OTLP: its length, then its text.
  expect(sent.includes('\x05lines')).toBe(true)
  await anything.close()
})

test('a collector that is killed with -9 in mid-flow, and started again, has lost no span that it had accepted', async () => {
  const collector = await startAgent()
  const service = await startTracedService()
  const flow = startFlow(() => request(service))

  await until(() => gateway.spans.length > 50)
  await collector.kill()
  const second = await startAgent()

  gateway.answer = 503
  const { sent } = await spansOf(service)
  await until(async () => (await spansOf(service)).sent > sent + 100)
  await second.kill()
  const known = new Set(gateway.spans.map(({ traceId }) => traceId))
  gateway.answer = 200
  await startAgent()

  const made = await flow.stop()
  const spans = await until(async () => {
    const seen = await spansOf(service)
    return seen.sent + seen.dropped === made.length && seen
  })
  expect(spans).toMatchObject({ made: made.length, dropped: 0 })
  // Those that only the killed collector had.
  expect(made.filter(id => !known.has(id)).length).toBeGreaterThan(100)
  await until(() => {
    const arrived = new Set(gateway.spans.map(({ traceId }) => traceId))
    return made.every(id => arrived.has(id))
  })
})

async function spansOf(service: Service) {
  const telemetry = await (await fetch(`${service.adminUrl}/telemetry`)).json()
  return (telemetry as { spans: { made: number; sent: number; dropped: number } }).spans
}

/** One request after the other until it is stopped; resolves with what they gave. */
function startFlow<Result>(one: () => Promise<Result>) {
  let stopped = false
  const results: Result[] = []
  const flowing = (async () => {
    while (!stopped) {
      results.push(await one())
      await new Promise(resolve => setTimeout(resolve, 5))
    }
  })()
  return {
    async stop() {
      stopped = true
      await flowing
      return results
    },
  }
}

/** Takes OTLP of any kind, and keeps the first message of each as it came, by its path. */
async function startAnyReceiver() {
  const got: Record<string, Buffer> = {}
  const server = createServer(async (incoming, response) => {
    const raw = Buffer.concat(await incoming.toArray())
    got[incoming.url ?? ''] ??= incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    got,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
