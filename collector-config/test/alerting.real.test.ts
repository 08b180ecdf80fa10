import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parsePolicy, readObjectives, timeToFire } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { type App, runner, startRegistered } from '../../sdk/test/faults-app/start.ts'
import { type Engine, run, startEngine, stopEngines, until } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shaketable-alerting-'))

/** The usual conditions, sixty times as fast: half a day stands for thirty. */
const conditions = ['page:5s/1m:2%', 'ticket:30s/6m:10%']
const objective = (service: string) => `apiVersion: openslo/v1
kind: SLO
metadata: { name: ${service}-availability }
spec:
  service: ${service}
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 12h, isRolling: true }]
  objectives: [{ target: 0.99 }]
  indicator:
    metadata: { name: ${service}-availability }
    spec:
      ratioMetric:
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: ${service} } } }
        good: { metricSource: { spec: { status: "<500" } } }
`

interface Notification {
  receiver: string
  status: 'firing' | 'resolved'
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string>; startsAt: string }[]
}

const notified: Notification[] = []
const pages = () => notified.filter(({ receiver }) => receiver === 'pages')
const traffic = new AbortController()
const flows: Promise<void>[] = []
const apps: App[] = []
let hook: Server
let alertmanager: Engine
let prometheus: Engine

beforeAll(() => installDebianPackages('prometheus', 'prometheus-alertmanager'))
afterAll(async () => {
  traffic.abort()
  await Promise.all(flows)
  await stopEngines()
  for (const app of apps) await app.stop()
  hook?.closeAllConnections()
  hook?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('an error burst pages for the right service within the time of the formula, resolves after it, and nothing else pages', async () => {
  const [gateway] = await startServices('gateway', 'payments')
  hook = await startWebhook()
  alertmanager = await startAlertmanager()
  prometheus = await startPrometheus()
  const burn = 'ALERTS{alertname="ErrorBudgetBurn",alertstate="firing"}'

  // Enough of a past that errors are a burst in it.
  await until(async () => (await samples('slo:sli_error:ratio_rate5s{slo="gateway-availability"}[1m]')).length > 10)
  expect(await samples(burn)).toEqual([])

  const control = runner(gateway!.control!)
  const lease = { percent: 100, scope: 'request', seed: 1, leaseMs: 60_000 } as const
  await control.arm('burst', { effect: { kind: 'error', status: 503 }, match: { direction: 'inbound' }, ...lease })
  const page = await until(() => pages().find(({ status }) => status === 'firing'))
  expect(page.alerts[0]!.labels).toMatchObject({
    alertname: 'ErrorBudgetBurn',
    severity: 'page',
    window: '5s/1m',
    service: 'gateway',
    slo: 'gateway-availability',
  })
  expect(page.alerts[0]!.annotations.runbook).toMatch(/RUNBOOKS\.md#errorbudgetburn$/)

  const failed = 'http_server_request_duration_seconds_count{job="gateway",http_response_status_code="503"}[5m]'
  const [firstSeen] = await samples(failed)
  // The intervals as long as they were: a busy machine stretches them, and with them everything that waits for one.
  const gaps = await Promise.all(
    ['slo:objective:ratio{slo="gateway-availability"}', 'up{job="gateway"}'].map(longestGap),
  )
  const [policy] = conditions.map(text => parsePolicy(text)!)
  const [{ target, windowMs } = { target: 0, windowMs: 0 }] = readObjectives(objective('gateway'), 'gateway.yaml')
  const predicted = timeToFire(policy!, { target, windowMs }, 1)! / 1000
  const took = Date.parse(page.alerts[0]!.startsAt) / 1000 - firstSeen!
  expect(took).toBeGreaterThan(0)
  expect(took).toBeLessThanOrEqual(predicted + 2 * Math.max(...gaps))

  // The experiment is told, and silences nothing; the page silences the ticket.
  await until(() =>
    notified.some(({ receiver, alerts }) => receiver === 'notes' && alerts[0]!.labels.job === 'gateway'),
  )
  const told = await until(async () => {
    const burning = (await active()).filter(({ labels }) => labels.alertname === 'ErrorBudgetBurn')
    const inState = (severity: string) => burning.find(({ labels }) => labels.severity === severity)
    const [paged, ticket] = [inState('page'), inState('ticket')]
    const isTold = paged?.annotations.experiment !== undefined && ticket?.status.state === 'suppressed'
    return isTold ? paged : undefined
  })
  expect(told.annotations.experiment).toContain('An experiment injects error into gateway.')
  expect(told.status.state).toBe('active')

  await control.disarm('burst')
  await until(() => pages().some(({ status }) => status === 'resolved'))
  expect(pages().flatMap(({ alerts }) => alerts.map(({ labels }) => labels.slo))).toEqual(
    pages().flatMap(({ alerts }) => alerts.map(() => 'gateway-availability')),
  )
})

/** Services with the SDK, under names of their own, and steady traffic for each. */
async function startServices(...names: string[]): Promise<App[]> {
  for (const name of names) apps.push(await startRegistered({ OTEL_SERVICE_NAME: name, OTEL_TRACES_EXPORTER: 'none' }))
  flows.push(...apps.map(app => flow(app.url)))
  const targets = names.map((job, index) => ({ labels: { job }, targets: [new URL(apps[index]!.admin).host] }))
  mkdirSync(join(folder, 'dashboards'), { recursive: true })
  symlinkSync(join(house, 'dashboards/generated'), join(folder, 'dashboards/generated'))
  cpSync(join(house, 'collector-config/prometheus'), join(folder, 'collector-config/prometheus'), { recursive: true })
  writeFileSync(join(folder, 'collector-config/prometheus/targets/services.yaml'), JSON.stringify(targets))
  // The command as its users call it.
  for (const name of names) writeFileSync(join(folder, `${name}.yaml`), objective(name))
  const flags = conditions.flatMap(condition => ['--alert', condition])
  const cli = ['shaketable', 'slo', 'rules', ...flags, ...names.map(name => join(folder, `${name}.yaml`))]
  const rules = execFileSync('npx', cli, { cwd: house, stdio: ['ignore', 'pipe', 'inherit'] })
  writeFileSync(join(folder, 'collector-config/prometheus/rules/objectives.yaml'), rules)
  return apps
}

async function flow(url: string): Promise<void> {
  while (!traffic.signal.aborted) {
    await fetch(`${url}/hello`).then(
      response => response.arrayBuffer(),
      () => undefined,
    )
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

async function startWebhook(): Promise<Server> {
  const server = createServer(async (request, response) => {
    notified.push(JSON.parse(String(Buffer.concat(await request.toArray()))))
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

const listening = /"?Listening on"?.* address=(\S+)/

/** Our configuration with the test's destination, and as much faster as the alerts are. */
function startAlertmanager(): Promise<Engine> {
  const { port } = hook.address() as AddressInfo
  const text = readFileSync(join(house, 'collector-config/alertmanager/alertmanager.yml'), 'utf8')
    .replaceAll(
      /^( +- name: \w+)$/gm,
      `$1\n    webhook_configs: [{ url: 'http://127.0.0.1:${port}', send_resolved: true }]`,
    )
    .replace('group_wait: 10s', 'group_wait: 1s')
    .replace('group_interval: 2m', 'group_interval: 2s')
  const file = join(folder, 'alertmanager.yml')
  writeFileSync(file, text)
  expect(text.match(/webhook_configs: /g)?.length).toBe(3)
  expect(run('amtool', ['check-config', file])).toMatchObject({ code: 0 })
  const flags = [
    '--web.listen-address=127.0.0.1:0',
    '--cluster.listen-address=',
    `--storage.path=${join(folder, 'am')}`,
  ]
  return startEngine('prometheus-alertmanager', [`--config.file=${file}`, ...flags], {
    ready: said => listening.test(said),
  })
}

function startPrometheus(): Promise<Engine> {
  const file = join(folder, 'collector-config/prometheus/prometheus.yml')
  const text = readFileSync(file, 'utf8')
    .replace('scrape_interval: 15s', 'scrape_interval: 1s')
    .replace('evaluation_interval: 15s', 'evaluation_interval: 1s')
    .replace("'alertmanager:9093'", `'${addressOf(alertmanager)}'`)
  writeFileSync(file, text)
  const flags = ['--web.listen-address=127.0.0.1:0', `--storage.tsdb.path=${join(folder, 'data')}`]
  return startEngine('prometheus', [`--config.file=${file}`, ...flags], {
    ready: said => listening.test(said) && said.includes('Server is ready to receive web requests'),
  })
}

function addressOf(engine: Engine): string {
  return listening.exec(engine.said())![1]!
}

interface Series {
  value?: [at: number, value: string]
  values?: [at: number, value: string][]
}

/** The times of the samples of the first series that a query answers with, in seconds. */
async function samples(query: string): Promise<number[]> {
  const url = `http://${addressOf(prometheus)}/api/v1/query?${new URLSearchParams({ query })}`
  const { data } = (await (await fetch(url)).json()) as { data: { result: Series[] } }
  const [first] = data.result
  return (first?.values ?? (first?.value ? [first.value] : [])).map(([at]) => at)
}

/** The longest time between two samples of a series, in seconds. */
async function longestGap(series: string): Promise<number> {
  const at = await samples(`${series}[5m]`)
  return Math.max(...at.slice(1).map((each, index) => each - at[index]!))
}

interface ActiveAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  status: { state: 'active' | 'suppressed' | 'unprocessed' }
}

async function active(): Promise<ActiveAlert[]> {
  return (await (await fetch(`http://${addressOf(alertmanager)}/api/v2/alerts`)).json()) as ActiveAlert[]
}
