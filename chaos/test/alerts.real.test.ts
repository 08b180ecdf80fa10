/** What a real Prometheus and a real Alertmanager say fires: on the metrics of a run, by a rule on them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runnerLabel, runnerMetric } from '@shaketable/sdk/names'
import { type Objective, objectiveAlert } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import type { Experiment } from '../src/experiment/model.ts'
import { AlertWatch, mustAnswerWithAlerts } from '../src/observe/alerts.ts'
import { RunnerMetrics, type ServedMetrics, serveMetrics } from '../src/observe/runner-metrics.ts'
import type { LiveState } from '../src/report/reporter.ts'
import { systemClock } from '../src/world.ts'

const experiment = {
  name: 'slow',
  title: 'It stands',
  system: { name: 'shop' },
  faults: [{ id: 'latency-back', kind: 'latency', service: 'back' }],
  objectives: [{ name: 'available' }],
} as Experiment
const objectives = [{ name: 'available' }] as Objective[]
const state = { phase: 'fault', armedIds: [], firing: [] } as unknown as LiveState

const metrics = new RunnerMetrics()
const processes: ChildProcess[] = []
let served: ServedMetrics | undefined
let folder: string
let prometheus: string
let alertmanager: string

async function freePort(): Promise<number> {
  const listener = createServer().listen(0, '127.0.0.1')
  await once(listener, 'listening')
  const { port } = listener.address() as { port: number }
  listener.close()
  await once(listener, 'close')
  return port
}

beforeAll(async () => {
  installDebianPackages('prometheus', 'prometheus-alertmanager')
  folder = await mkdtemp(join(tmpdir(), 'shaketable-alerts-'))
  metrics.conducts(experiment)
  served = await serveMetrics(metrics, '0')
  const [one, two] = [await freePort(), await freePort()]
  prometheus = `http://127.0.0.1:${one}`
  alertmanager = `http://127.0.0.1:${two}`
  const labels = `{ slo: available, severity: page, window: 5m/1h }`
  await writeFile(
    join(folder, 'rules.yml'),
    `groups: [{ name: g, rules: [{ alert: ${objectiveAlert.burn}, expr: 'max(${runnerMetric.faultArmed}{${runnerLabel.fault}="latency-back"}) == 1', labels: ${labels} }] }]\n`,
  )
  await writeFile(
    join(folder, 'prometheus.yml'),
    `global: { scrape_interval: 1s, evaluation_interval: 1s }
rule_files: [rules.yml]
alerting: { alertmanagers: [{ static_configs: [{ targets: ['127.0.0.1:${two}'] }] }] }
scrape_configs: [{ job_name: runner, static_configs: [{ targets: ['${new URL(served.url).host}'] }] }]
`,
  )
  await writeFile(join(folder, 'alertmanager.yml'), 'route: { receiver: nobody }\nreceivers: [{ name: nobody }]\n')
  const start = (program: string, ...args: string[]) => {
    processes.push(spawn(program, args, { cwd: folder, stdio: 'ignore' }))
  }
  start(
    'prometheus',
    '--config.file=prometheus.yml',
    `--web.listen-address=127.0.0.1:${one}`,
    '--storage.tsdb.path=data',
  )
  start(
    'prometheus-alertmanager',
    '--config.file=alertmanager.yml',
    `--web.listen-address=127.0.0.1:${two}`,
    '--cluster.listen-address=',
    '--storage.path=am',
  )
})

afterAll(async () => {
  for (const child of processes) child.kill('SIGKILL')
  await Promise.all(processes.map(child => (child.exitCode ?? child.signalCode) === null && once(child, 'exit')))
  served?.close()
  await rm(folder, { recursive: true, force: true })
})

const patiently = { timeout: 60_000, interval: 300 }

test('a page begins and ends in both, and one that is silenced pages nobody', async () => {
  const engines = [
    { kind: 'prometheus', url: prometheus },
    { kind: 'alertmanager', url: alertmanager },
  ] as const
  for (const engine of engines) {
    await expect
      .poll(
        () =>
          mustAnswerWithAlerts(engine).then(
            () => true,
            () => false,
          ),
        patiently,
      )
      .toBe(true)
  }
  const [byPrometheus, byAlertmanager] = engines.map(engine => new AlertWatch(engine, objectives, systemClock)) as [
    AlertWatch,
    AlertWatch,
  ]
  const firing = async (watch: AlertWatch) => {
    await watch.ask()
    return watch.firing()
  }
  expect([await firing(byPrometheus), await firing(byAlertmanager)]).toEqual([[], []])

  metrics.tick({ ...state, armedIds: ['latency-back'] })
  await expect.poll(() => firing(byPrometheus), patiently).toEqual(['available'])
  await expect.poll(() => firing(byAlertmanager), patiently).toEqual(['available'])
  expect(byPrometheus.alerts).toMatchObject([
    { objective: 'available', severity: 'page', window: '5m/1h', state: 'firing' },
  ])

  const now = Date.now()
  const silence = {
    matchers: [{ name: 'slo', value: 'available', isRegex: false, isEqual: true }],
    startsAt: new Date(now).toISOString(),
    endsAt: new Date(now + 3_600_000).toISOString(),
    createdBy: 'test',
    comment: 'planned',
  }
  const answer = await fetch(`${alertmanager}/api/v2/silences`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(silence),
  })
  expect(answer.status).toBe(200)
  await expect.poll(() => firing(byAlertmanager), patiently).toEqual([])
  expect(await firing(byPrometheus)).toEqual(['available'])

  metrics.tick(state)
  await expect.poll(() => firing(byPrometheus), patiently).toEqual([])
  for (const { alerts, trouble } of [byPrometheus, byAlertmanager]) {
    expect(alerts.map(({ state }) => state)).toEqual(['firing', 'resolved'])
    expect(trouble).toBeUndefined()
  }
})
