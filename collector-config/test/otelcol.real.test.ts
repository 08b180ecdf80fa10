import { randomBytes } from 'node:crypto'
import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { goProgram } from '../../.ci/tools/go.ts'
import { type Receiver, startReceiver } from '../../sdk/test/otlp-receiver.ts'
import { type Service, startService, stopServices } from '../../sdk/test/service.ts'
import { quietPort, run, startEngine, stopEngines, until } from './processes.ts'

const config = fileURLToPath(new URL('../otelcol/agent.yaml', import.meta.url))
let otelcol: string
let folder: string
let tempo: Receiver
let port: number

beforeAll(() => {
  otelcol = goProgram('otelcol')
})

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-otelcol-'))
  tempo = await startReceiver()
  port = await quietPort()
})

afterEach(async () => {
  await stopServices()
  await stopEngines()
  await tempo.close()
  rmSync(folder, { recursive: true, force: true })
})

const startCollector = (env: Record<string, string> = {}) =>
  startEngine(otelcol, [`--config=${config}`], {
    env: {
      OTLP_HTTP_LISTEN: `127.0.0.1:${port}`,
      OTLP_GRPC_LISTEN: '127.0.0.1:0',
      HEALTH_LISTEN: '127.0.0.1:0',
      OTELCOL_METRICS_PORT: '0',
      OTELCOL_STORAGE: join(folder, 'queue'),
      SERVICE_LOGS: join(folder, '*.log'),
      TEMPO_ENDPOINT: tempo.url,
      ...env,
    },
    ready: said => said.includes('Everything is ready'),
  })

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

test('the collector accepts its configuration', () => {
  expect(run(otelcol, ['validate', `--config=${config}`])).toMatchObject({ code: 0 })
})

test('a request’s span and its line of log reach what is behind the collector, with the request’s trace id', async () => {
  const loki = await startLogReceiver()
  await startCollector({ LOKI_ENDPOINT: `${loki.url}/otlp` })
  const service = await startTracedService()
  const traceId = await request(service)

  const span = await until(() => tempo.spans[0])
  expect(span).toMatchObject({ traceId, name: 'GET', resource: { 'service.name': 'tested' } })

  const line = await until(() => service.lines().find(({ trace_id }) => trace_id === traceId))
  appendFileSync(join(folder, 'tested.log'), `${JSON.stringify(line)}\n`)
  const sent = await until(() => loki.bodies[0])
  expect(loki.paths[0]).toBe('/otlp/v1/logs')
  // As the record's own field the id is 16 bytes; in the line, which is sent too, it is text.
  expect(sent.includes(Buffer.from(traceId, 'hex'))).toBe(true)
  await loki.close()
})

test('a collector that is killed with -9 in mid-flow, and started again, has lost no span that it had accepted', async () => {
  const collector = await startCollector()
  const service = await startTracedService()
  const flow = startFlow(() => request(service))

  await until(() => tempo.spans.length > 50)
  await collector.kill()
  const second = await startCollector()

  tempo.answer = 503
  const { sent } = await spansOf(service)
  await until(async () => (await spansOf(service)).sent > sent + 100)
  await second.kill()
  const known = new Set(tempo.spans.map(({ traceId }) => traceId))
  tempo.answer = 200
  await startCollector()

  const made = await flow.stop()
  const spans = await until(async () => {
    const seen = await spansOf(service)
    return seen.sent + seen.dropped === made.length && seen
  })
  expect(spans).toMatchObject({ made: made.length, dropped: 0 })
  // Those that only the killed collector had.
  expect(made.filter(id => !known.has(id)).length).toBeGreaterThan(100)
  await until(() => {
    const arrived = new Set(tempo.spans.map(({ traceId }) => traceId))
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

/** Takes OTLP of any kind, and keeps it as it came. */
async function startLogReceiver() {
  const paths: string[] = []
  const bodies: Buffer[] = []
  const server = createServer(async (incoming, response) => {
    const raw = Buffer.concat(await incoming.toArray())
    paths.push(incoming.url ?? '')
    bodies.push(incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(raw) : raw)
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    paths,
    bodies,
    async close() {
      server.closeAllConnections()
      await new Promise(resolve => server.close(resolve))
    },
  }
}
