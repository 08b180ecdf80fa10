import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { authorizationOf } from '@shaketable/sdk/faults'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { freePort } from '../../.ci/tools/free-port.ts'
import { fixture, Shaketable } from '../../chaos/test/cli.ts'
import { listed, panels } from '../../dashboards/test/everything.ts'
import { LocalShop, type Service } from '../../demo-services/test/local-shop.ts'
import { type Receiver, startReceiver } from '../../sdk/test/otlp-receiver.ts'
import {
  json,
  type Prometheus,
  type Sample,
  startCollector,
  startPrometheus,
  startVictoriaLogs,
  startZipkin,
} from './backend.ts'
import { stopEngines, until } from './processes.ts'

// The shop, our two collectors, and behind them a real Prometheus, Zipkin and VictoriaLogs; traffic with failures in it.

const key = 'a key of sixteen characters'
const folder = mkdtempSync(join(tmpdir(), 'shaketable-backend-'))
let prometheus: Prometheus
let zipkin: { url: string }
let logs: { url: string }
let stored: Receiver
let shop: LocalShop
let runnerPort: number
let traffic: { stop(): Promise<void> }

beforeAll(async () => {
  mkdirSync(join(folder, 'lines'))
  stored = await startReceiver()
  ;[prometheus, zipkin, logs] = await Promise.all([startPrometheus(folder), startZipkin(), startVictoriaLogs(folder)])
  const gateway = await startCollector(['gateway.yaml', 'also/zipkin.yaml'], {
    folder,
    env: {
      TRACES_ENDPOINT: stored.url,
      METRICS_ENDPOINT: `${prometheus.url}/api/v1/otlp`,
      LOGS_ENDPOINT: `${logs.url}/insert/opentelemetry`,
      ZIPKIN_ENDPOINT: `${zipkin.url}/api/v2/spans`,
      TAIL_DECISION_WAIT: '2s',
      TAIL_PERCENT: '100',
      SPAN_METRICS_INTERVAL: '1s',
    },
  })
  const agent = await startCollector(['agent.yaml'], {
    folder,
    env: { GATEWAY_ENDPOINT: gateway.url, SERVICE_LOGS: join(folder, 'lines/*.log') },
  })
  const faults = { payments: await freePort(), gateway: await freePort() }
  const admin = await startShop(agent.url, faults)
  runnerPort = await freePort()
  await prometheus.scrape({
    services: stringify(
      Object.entries({ ...admin, shaketable: [runnerPort] }).map(([job, targets]) => ({
        labels: { job, deployment_environment_name: 'test' },
        targets: targets.map(port => `127.0.0.1:${port}`),
      })),
    ),
    rules: readFileSync(new URL('../../demo-services/generated/rules.yaml', import.meta.url), 'utf8'),
    agent: agent.metrics,
    gateway: gateway.metrics,
  })
  traffic = await startTraffic(faults)
})

afterAll(async () => {
  try {
    await traffic?.stop()
  } finally {
    await Promise.all([shop?.stop(), stopEngines(), stored?.close()])
    rmSync(folder, { recursive: true, force: true })
  }
})

/** The shop with the SDK, by one flag; returns the ports of its services' health and metrics listeners. */
async function startShop(otlp: string, faults: Record<string, number>): Promise<Record<string, number[]>> {
  const ports = await Promise.all(Array.from({ length: 9 }, freePort))
  const admin: Record<string, number[]> = {}
  const extras = (service: Service, n: number) => {
    if (service === 'postgres') return {}
    const port = ports.pop() ?? 0
    admin[service] = [...(admin[service] ?? []), port]
    const faulty = service in faults && {
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_FAULTS_KEY: key,
      SHAKETABLE_FAULTS_PORT: String(faults[service]),
    }
    return {
      flags: ['--max-old-space-size=96', '--import', '@shaketable/sdk/register'],
      env: {
        OTEL_SERVICE_NAME: service,
        OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=test',
        OTEL_EXPORTER_OTLP_ENDPOINT: otlp,
        OTEL_EXPORTER_PROMETHEUS_PORT: String(port),
        OTEL_BSP_SCHEDULE_DELAY: '500',
        LOG_LEVEL: 'info',
        ...faulty,
      },
      log: join(folder, `lines/${service}-${n}.log`),
    }
  }
  shop = await LocalShop.start({ extras })
  return admin
}

/** Both journeys, some five a second of each, with half of the payments refused, and a fifth of the looks at the front page. */
async function startTraffic(control: { payments: number; gateway: number }) {
  const door = shop.urls('gateway')[0]!
  const signIn = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"user":"ada"}' }
  const { token } = (await (await fetch(`${door}/login`, signIn)).json()) as { token: string }
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const visit = async () => {
    // One that gets no answer is a failed visit, and no failure of ours: the traffic goes on.
    const ask = (path: string, init: RequestInit) =>
      fetch(door + path, init).then(
        answer => answer.text(),
        () => undefined,
      )
    const order = { method: 'POST', body: '{"sku":"A1","quantity":1}' }
    const once = { 'idempotency-key': crypto.randomUUID() }
    await Promise.all([ask('/checkout', { ...order, headers: { ...headers, ...once } }), ask('/', { headers })])
  }
  const refuse = async (port: number, method: string, percent: number) => {
    const fault = {
      effect: { kind: 'error', status: 503 },
      match: { direction: 'inbound', method },
      percent,
      scope: 'attempt',
      seed: 1,
      leaseMs: 60_000,
    }
    const call = { method: 'PUT', path: '/faults/refused', body: JSON.stringify(fault) }
    const signed = { ...call, headers: { authorization: authorizationOf(call, key) } }
    const answer = await fetch(`http://127.0.0.1:${port}${call.path}`, signed)
    if (!answer.ok) throw new Error(`the fault was not armed: ${await answer.text()}`)
    await answer.text()
  }
  let stopped = false
  const running = (async () => {
    for (let n = 0; !stopped; n++) {
      if (n % 100 === 0) await Promise.all([refuse(control.payments, 'POST', 50), refuse(control.gateway, 'GET', 20)])
      await visit()
      await new Promise(resolve => setTimeout(resolve, 150))
    }
  })()
  return {
    async stop() {
      stopped = true
      await running
    },
  }
}

test('an exemplar’s trace id leads to the trace in Zipkin, and the same id to its lines of log', async () => {
  const duration = 'http_server_request_duration_seconds_bucket{job="gateway",http_route="/checkout"}'
  const traceId = await until(async () => (await prometheus.exemplars(duration))[0]?.trace_id)

  type Span = { localEndpoint: { serviceName: string }; name: string }
  const spans = await until(async () => {
    const found = await json<Span[]>(`${zipkin.url}/api/v2/trace/${traceId}`)
    return found?.some(({ localEndpoint }) => localEndpoint.serviceName === 'payments') && found
  })
  const services = new Set(spans.map(({ localEndpoint }) => localEndpoint.serviceName))
  expect([...services]).toEqual(expect.arrayContaining(['gateway', 'orders', 'inventory', 'payments']))

  const ofTrace = new URLSearchParams({ query: `trace_id:"${traceId}"` })
  const lines = await until(async () => {
    const text = await (await fetch(`${logs.url}/select/logsql/query?${ofTrace}`)).text()
    return (
      text.includes('\n') &&
      text
        .trim()
        .split('\n')
        .map(line => JSON.parse(line) as Record<string, string>)
    )
  })
  expect(services).toContain(lines[0]!['service.name'])
})

test('a failed request’s trace is kept, and the store behind OTLP gets it too', async () => {
  await until(() => stored.spans.some(({ status }) => status.code === 2))
})

/** Grafana's variables as a user would have set them. */
const asSet = (expr: string) =>
  expr
    .replaceAll('$__rate_interval', '15s')
    .replaceAll('$__range', '2m')
    .replaceAll(/=~"\$\w+"/g, '=~".*"')
    .replaceAll('"$service"', '"gateway"')

const says = (samples: Sample[]) => samples.some(({ value }) => Number.isFinite(Number(value[1])))

/** Unprotected services in two experiments, scraped, again and again until it is stopped. */
function startExperiments() {
  const files = ['slow-back', 'failing-back'].map(name => `experiments/${name}.yaml`)
  const options = ['--metrics', String(runnerPort), '--env', 'RESILIENCE=off', '--json']
  let stopped = false
  let run: Shaketable | undefined
  const running = (async () => {
    while (!stopped) {
      run = new Shaketable(['run', ...files, ...options], {
        state: join(folder, 'runs'),
        cwd: fixture('duo'),
      })
      await run.finished
    }
  })()
  return {
    async stop() {
      stopped = true
      run?.child.kill('SIGINT')
      // Whatever holds it: what the test has to say must be heard.
      const patience = setTimeout(() => run?.child.kill('SIGKILL'), 60_000)
      await running
      clearTimeout(patience)
    },
  }
}

describe('Prometheus answers', () => {
  const queries = panels.flatMap(({ dashboard, panel, targets }) =>
    targets.flatMap(({ datasource, expr, refId }) =>
      datasource.type === 'prometheus'
        ? [{ where: `${dashboard.title}: ${panel.title} ${refId}`, expr: asSet(expr ?? '') }]
        : [],
    ),
  )

  test('every query of every panel, with values', { timeout: 660_000 }, async () => {
    expect(queries.length).toBeGreaterThan(70)
    const experiments = startExperiments()
    let waiting = queries
    try {
      await until(async () => {
        const answers = await Promise.all(waiting.map(async one => says(await prometheus.query(one.expr))))
        waiting = waiting.filter((_, index) => !answers[index])
        return waiting.length === 0
      }, 540_000).catch(() => expect(waiting).toEqual([]))
    } finally {
      await experiments.stop()
    }
  })

  test('every variable that is a label’s values', async () => {
    for (const { expr, label } of listed) {
      const values = await prometheus.ask(`label/${label}/values`, { 'match[]': asSet(expr) })
      expect(values, `${label} of ${expr}`).not.toEqual([])
    }
  })

  test('every rule without an error', async () => {
    type Rule = { name: string; health: string; lastError?: string }
    await until(async () => {
      const { groups } = (await prometheus.ask('rules', {})) as { groups: { rules: Rule[] }[] }
      const rules = groups.flatMap(group => group.rules)
      expect(rules.filter(({ health }) => health === 'err')).toEqual([])
      return rules.length > 20 && rules.every(({ health }) => health === 'ok')
    })
  })
})
