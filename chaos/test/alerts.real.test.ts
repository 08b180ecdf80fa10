/** What a real Prometheus and a real Alertmanager say: which alerts fire, on the metrics of a run, and what a guard asks. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runnerLabel, runnerMetric } from '@shaketable/sdk/names'
import { type Objective, objectiveAlert } from '@shaketable/slo'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { freePort } from '../../.ci/tools/free-port.ts'
import { prometheusBreach } from '../src/conduct/prometheus-guard.ts'
import type { Experiment } from '../src/experiment/model.ts'
import { AlertWatch, mustAnswerWithAlerts } from '../src/observe/alerts.ts'
import { RunnerMetrics, type ServedMetrics, serveMetrics } from '../src/observe/runner-metrics.ts'
import type { LiveState } from '../src/report/reporter.ts'
import { systemClock } from '../src/world.ts'
import { runToolkit } from './toolkit.ts'

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

// A guard waits half a second for an answer, twice: on a machine that is busy with something else that can be too little.
test('a guard asks it for any PromQL, and is breached by a value beyond its bound, by no data, and by no answer', {
  retry: 3,
}, async () => {
  const armed = `max(${runnerMetric.faultArmed}{${runnerLabel.fault}="latency-back"})`
  const ended = new AbortController()
  const guard = (query: string, url = prometheus) =>
    prometheusBreach({ url, query, above: 0, below: undefined }, systemClock, ended.signal)
  const none = await guard('max(nobody_measures_this)')
  expect(none?.reason).toBe('Prometheus has no data for max(nobody_measures_this)')
  expect((await guard('max(('))?.reason).toMatch(/^Prometheus does not answer max\(\(: status 400, .*parse error/)
  expect((await guard('1', 'http://127.0.0.1:1'))?.reason).toMatch(/^Prometheus does not answer 1: /)

  metrics.tick(state)
  const breach = guard(armed)
  metrics.tick({ ...state, armedIds: ['latency-back'] })
  expect((await breach)?.reason).toBe(`${armed} is 1, over 0`)
  const quiet = guard('vector(0)')
  ended.abort()
  expect(await quiet).toBeUndefined()
  metrics.tick(state)
})

test('an experiment of the Chaos Toolkit asks it: a query of this moment, and one of the last minute', async () => {
  const provider = (func: string, given: object) => ({
    type: 'python',
    module: 'chaosprometheus.probes',
    func,
    arguments: given,
  })
  const { code, stdout, stderr } = await runToolkit({
    configuration: { prometheus_base_url: prometheus },
    'steady-state-hypothesis': {
      title: 'The runner is scraped',
      probes: [
        {
          type: 'probe',
          name: 'up',
          tolerance: { type: 'jsonpath', path: '$.data.result[0].value[1]', expect: ['1'] },
          provider: provider('query', { query: 'up{job="runner"}' }),
        },
      ],
    },
    method: [
      {
        type: 'probe',
        name: 'the last minute',
        tolerance: { type: 'jsonpath', path: '$.data.result[*].metric.job', expect: ['runner'] },
        provider: provider('query_interval', { query: 'up', start: '1 minute ago', end: 'now', step: 5 }),
      },
    ],
  })
  expect(stdout, stderr).toMatch(/✓ probe {3}up .*\n.*✓ probe {3}the last minute .*\n.*✓ probe {3}up /)
  expect(code, stdout).toBe(0)
})
