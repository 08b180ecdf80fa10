import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { parsePolicy, readObjectives, timeToFire } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { freePort } from '../../.ci/tools/free-port.ts'
import { controlKey, runner } from '../../sdk/test/faults-app/start.ts'
import { json, type Prometheus, startPrometheus } from './backend.ts'
import { type InstrumentedShop, startInstrumentedShop, Visitors } from './instrumented-shop.ts'
import { run, startEngine, stopEngines, until } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'shaketable-alerting-'))

/** The usual conditions, 120 times as fast: thirty seconds stand for an hour, six hours for thirty days. */
const conditions = ['page:5s/30s:2%', 'ticket:1m/12m:10%']
const objectives = ['checkout-availability', 'browse-availability'].map(name => {
  const text = readFileSync(join(house, `demo-services/objectives/${name}.yaml`), 'utf8')
  return { file: join(folder, `${name}.yaml`), text: text.replace('duration: 30d', 'duration: 6h') }
})

interface Notification {
  receiver: string
  status: 'firing' | 'resolved'
  alerts: { status: string; labels: Record<string, string>; annotations: Record<string, string>; startsAt: string }[]
}

const notified: Notification[] = []
const pages = () => notified.filter(({ receiver }) => receiver === 'pages')
let shop: InstrumentedShop
let visitors: Visitors
let hook: Server
let alertmanager: string
let prometheus: Prometheus
/** Of the fault control of payments. */
let faults: ReturnType<typeof runner>
let heartbeat: NodeJS.Timeout

beforeAll(async () => {
  installDebianPackages('prometheus', 'prometheus-alertmanager')
  hook = await startWebhook()
  const control = await freePort()
  faults = runner(`http://127.0.0.1:${control}`)
  const [services, rules, address] = await Promise.all([startShop(control), makeRules(), startAlertmanager()])
  alertmanager = address
  // Last, and at once with its true targets: until it has them, it sees those of our file down.
  prometheus = await startPrometheus(folder)
  await prometheus.scrape({ services, rules, alertmanager })
  visitors = await Visitors.come(shop.shop, 10)
})

afterAll(async () => {
  clearInterval(heartbeat)
  await Promise.all([visitors?.stop(), shop?.shop.stop(), stopEngines()])
  hook?.closeAllConnections()
  hook?.close()
  rmSync(folder, { recursive: true, force: true })
})

test('payments that fail page for checkout within the time of the formula, it ends with them, and nothing else pages', async () => {
  // Enough of a past that errors are a burst in it.
  const ratio = 'slo:sli_error:ratio_rate5s{slo="checkout-availability"}'
  await until(async () => (await prometheus.samples(`${ratio}[1m]`)).length > 10)
  expect(await prometheus.query('ALERTS{severity="page"}')).toEqual([])

  const lease = { percent: 100, scope: 'request', seed: 1, leaseMs: 60_000 } as const
  await faults.arm('burst', { effect: { kind: 'error', status: 503 }, match: { direction: 'inbound' }, ...lease })
  heartbeat = setInterval(() => void faults.renew(['burst'], 60_000).catch(() => undefined), 5000)
  const { alerts } = await until(() => pages().find(({ status }) => status === 'firing'))
  expect(alerts.map(({ labels }) => labels)).toMatchObject([
    {
      alertname: 'ErrorBudgetBurn',
      severity: 'page',
      window: '5s/30s',
      service: 'gateway',
      slo: 'checkout-availability',
    },
  ])
  expect(alerts[0]!.annotations.runbook).toMatch(/RUNBOOKS\.md#errorbudgetburn$/)
  await expectInTime(Date.parse(alerts[0]!.startsAt) / 1000)

  // The experiment is told, and silences nothing; the page silences the ticket.
  const isTold = ({ receiver, alerts }: Notification) => receiver === 'notes' && alerts[0]!.labels.job === 'payments'
  await until(() => notified.some(isTold))
  const told = await until(async () => {
    const burning = (await active()).filter(({ labels }) => labels.alertname === 'ErrorBudgetBurn')
    const inState = (severity: string) => burning.find(({ labels }) => labels.severity === severity)
    const [paged, ticket] = [inState('page'), inState('ticket')]
    const isTold = paged?.annotations.experiment !== undefined && ticket?.status.state === 'suppressed'
    return isTold ? paged : undefined
  })
  expect(told.annotations.experiment).toContain('An experiment injects error into payments.')
  expect(told.status.state).toBe('active')

  await faults.disarm('burst')
  await until(() => pages().some(({ status }) => status === 'resolved'))
  const paged = await prometheus.query('count_over_time(ALERTS{severity="page",alertstate="firing"}[1h])')
  expect(paged.map(({ metric }) => metric.slo)).toEqual(['checkout-availability'])
  const paging = pages().flatMap(({ alerts }) => alerts.map(({ labels }) => labels.slo))
  expect(new Set(paging)).toEqual(new Set(['checkout-availability']))
})

/**
 * From the first scrape that shows an error on, in Prometheus' own times, and two intervals more: as long as they were, since a
 * busy machine stretches them. The formula is for steady traffic. Where a busy machine thins it out, so many errors less are
 * what it has to be asked about.
 */
async function expectInTime(firedAt: number): Promise<void> {
  const checkouts = 'http_server_request_duration_seconds_count{job="gateway",http_route="/checkout"'
  const failed = await prometheus.samples(`${checkouts},http_response_status_code="503"}[5m]`)
  const answered = await prometheus.samples(`${checkouts},http_response_status_code="201"}[5m]`)
  const firstSeen = failed[0]!.at
  const inWindow = answered.filter(({ at }) => at <= firstSeen && at >= firstSeen - 30)
  const errorRatio = Math.min(1, perSecond(failed.filter(({ at }) => at <= firedAt)) / perSecond(inWindow))

  const [policy] = conditions.map(text => parsePolicy(text)!)
  const [{ text, file }] = objectives as [{ text: string; file: string }]
  const predicted = timeToFire(policy!, readObjectives(text, file)[0]!, errorRatio)! / 1000
  const evaluated = await prometheus.samples('slo:objective:ratio{slo="checkout-availability"}[5m]')
  const longest = Math.max(...[evaluated, answered, failed].map(longestGap))
  expect(firedAt - firstSeen).toBeGreaterThan(0)
  expect(firedAt - firstSeen).toBeLessThanOrEqual(predicted + 2 * longest)
}

function perSecond(samples: { at: number; value: number }[]): number {
  const [first, last] = [samples[0]!, samples.at(-1)!]
  return (last.value - first.value) / (last.at - first.at)
}

/** The longest time between two samples, in seconds. */
function longestGap(samples: { at: number }[]): number {
  return Math.max(...samples.slice(1).map(({ at }, index) => at - samples[index]!.at))
}

/** Without its resilience: with it, payments that fail cost no checkout. Returns what Prometheus is to scrape. */
async function startShop(control: number): Promise<string> {
  const faulty = { SHAKETABLE_FAULTS: 'on', SHAKETABLE_FAULTS_KEY: controlKey, SHAKETABLE_FAULTS_PORT: String(control) }
  shop = await startInstrumentedShop(service => ({
    RESILIENCE: 'off',
    OTEL_TRACES_EXPORTER: 'none',
    ...(service === 'payments' ? faulty : {}),
  }))
  return stringify([...shop.admin].map(([job, targets]) => ({ labels: { job }, targets })))
}

/** The command as its users call it. */
async function makeRules(): Promise<string> {
  for (const { file, text } of objectives) writeFileSync(file, text)
  const flags = conditions.flatMap(condition => ['--alert', condition])
  const command = ['shaketable', 'slo', 'rules', ...flags, ...objectives.map(({ file }) => file)]
  return (await promisify(execFile)('npx', command, { cwd: house, maxBuffer: 2 ** 24 })).stdout
}

async function startWebhook(): Promise<Server> {
  const server = createServer(async (request, response) => {
    notified.push(JSON.parse(String(Buffer.concat(await request.toArray()))))
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return server
}

/** Our configuration with the test's destination, and as much faster as the alerts are. Returns where it listens. */
async function startAlertmanager(): Promise<string> {
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
  const flags = ['--web.listen-address=127.0.0.1:0', '--cluster.listen-address=']
  const listening = /"?Listening on"?.* address=(\S+)/
  const engine = await startEngine(
    'prometheus-alertmanager',
    [`--config.file=${file}`, `--storage.path=${join(folder, 'am')}`, ...flags],
    { ready: said => listening.test(said) },
  )
  return listening.exec(engine.said())![1]!
}

interface ActiveAlert {
  labels: Record<string, string>
  annotations: Record<string, string>
  status: { state: 'active' | 'suppressed' | 'unprocessed' }
}

async function active(): Promise<ActiveAlert[]> {
  return (await json<ActiveAlert[]>(`http://${alertmanager}/api/v2/alerts`)) ?? []
}
