/**
 * The runner, as `runner-cost.ts` measures it: one experiment on the fifty services, conducted and judged as a run does, with its
 * keeper, its load process, its scrapes and the spans of every request. Told where the services are, it tells what came of it.
 * It is run on the built files.
 */
import { once } from 'node:events'
import { conductExperiment } from '../src/conduct/conduct-experiment.ts'
import { openJournal } from '../src/conduct/journal.ts'
import { startKeeper } from '../src/conduct/keeper.ts'
import { readExperiments } from '../src/experiment/read.ts'
import { RunnerMetrics } from '../src/observe/runner-metrics.ts'
import { TraceReceiver } from '../src/observe/trace-receiver.ts'
import type { Target } from '../src/targets/target.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { processWorld } from '../src/world.ts'
import { keepYoungGenerationSmall } from '../src/young-generation.ts'

export interface Service {
  name: string
  url: string
  adminUrl: string
}

export type Told = { tracesUrl: string } | { conducting: true } | Outcome

export interface Outcome {
  verdict: string
  reasons: string[]
  samples: number
  spans: number
  keptShare: number
  latenessP99Ms: number
  phasesMs: number
}

keepYoungGenerationSmall()
const tell = (told: Told) => process.send?.(told)
const world = processWorld(new AbortController().signal)
const traces = await TraceReceiver.start(world.clock)
tell({ tracesUrl: traces.urlFor() })
const [{ services, rate, seconds }] = (await once(process, 'message')) as [
  { services: Service[]; rate: number; seconds: number },
]

const texts: Record<string, string> = {
  'system.yaml': `apiVersion: shaketable.dev/v1alpha1
kind: System
metadata: { name: fifty }
spec:
  services:
${services.map(({ name, url }) => `    - { name: ${name}, attach: [{ url: ${JSON.stringify(url)} }] }`).join('\n')}
  journeys:
${services.map(({ name }) => `    - { name: ${name}, steps: [{ request: { method: GET, to: ${name}, path: / }, expect: { status: 200 } }] }`).join('\n')}
`,
  'experiment.yaml': `apiVersion: shaketable.dev/v1alpha1
kind: Experiment
metadata: { name: nothing, title: Nothing is injected }
spec:
  system: system.yaml
  objectives: [${services.map(({ name }) => `${name}.yaml`).join(', ')}]
  load:
${services.map(({ name }) => `    - { journey: ${name}, rate: ${rate / services.length}/s }`).join('\n')}
  phases: { baseline: ${seconds / 4}s, fault: ${seconds / 2}s, recovery: ${seconds / 4}s }
  faults: []
  expect: { objectives: { hold: [${services.map(({ name }) => name).join(', ')}] } }
  guard: { budget: 1000%, errorRatio: { above: 50%, over: 5s } }
`,
  ...Object.fromEntries(services.map(({ name }) => [`${name}.yaml`, objective(name)])),
}
const [experiment] = await readExperiments(['experiment.yaml'], {
  read: async path => texts[path.replace(/^.*\//, '')] ?? Promise.reject(new Error(`no ${path}`)),
})
if (!experiment) throw new Error('no experiment')

const journal = await openJournal(world, { system: 'fifty' })
const keeper = await startKeeper(world, journal)
const heartbeat = setInterval(() => keeper.beat(), 500)
const target = {
  kind: 'local',
  urls: (of: string) => services.filter(({ name }) => name === of).map(({ url }) => url),
  instances: (of: string) =>
    services
      .filter(({ name }) => name === of)
      .map(({ name, adminUrl }) => ({ id: `${name}-1`, service: name, pid: process.pid, adminUrl })),
} as unknown as Target
try {
  tell({ conducting: true })
  const { seen } = await conductExperiment(experiment, {
    world,
    target,
    journal,
    view: new RunnerMetrics(),
    seed: 1,
    instanceEvents: [],
    signal: world.signal,
    commandEnv: {},
    traces,
    alertEngine: undefined,
  })
  const { verdict, reasons } = judgeExperiment(seen)
  const { start } = seen.phases.baseline
  const end = seen.phases.recovery?.end ?? start
  tell({
    verdict,
    reasons,
    samples: seen.samples.filter(({ at }) => at >= start && at < end).length,
    phasesMs: end - start,
    spans: seen.traces?.spans.length ?? 0,
    keptShare: seen.traces?.keptShare ?? 0,
    latenessP99Ms: Math.max(...seen.load.map(({ health }) => health.latenessP99Ms)),
  })
} finally {
  clearInterval(heartbeat)
  await keeper.release()
  await journal.close({ clean: true })
  await traces.close()
  if (process.connected) process.disconnect()
}

function objective(service: string): string {
  return `apiVersion: openslo/v1
kind: SLO
metadata: { name: ${service} }
spec:
  service: ${service}
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: 0.9 }]
  indicator:
    metadata: { name: ${service} }
    spec:
      ratioMetric:
        counter: true
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: ${service}, method: GET, route: / } } }
        good: { metricSource: { type: shaketable, spec: { status: "<500" } } }
`
}
