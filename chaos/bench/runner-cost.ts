/**
 * `npm run bench:cost -w shaketable [-- --seconds 30 --rate 2000]`: what the runner takes while it offers a load to fifty services,
 * scrapes each twice a second and takes two spans of every request. CPU time and proportional set size of the runner and of its load
 * process together; the services are another process'. Exits 1 over one core or 300 MB, or where the load was off by over 1 %.
 */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type Objective, readObjectives } from '@shaketable/slo'
import type { LoadSample } from '../src/load/load.ts'
import { startLoad } from '../src/load/open-loop.ts'
import { CounterWatch } from '../src/observe/counters.ts'
import { TraceReceiver } from '../src/observe/trace-receiver.ts'
import type { Target } from '../src/targets/target.ts'
import { processWorld } from '../src/world.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '30' }, rate: { type: 'string', default: '2000' } },
})
const [seconds, rate] = [Number(values.seconds), Number(values.rate)]
const goals = { cores: 1, pssMb: 300, offBy: 0.01 }

const world = processWorld(new AbortController().signal)
const traces = await TraceReceiver.start(world.clock)
traces.begin()
const child = fork(fileURLToPath(new URL('fifty-services.ts', import.meta.url)), [], {
  env: { ...process.env, TRACES: traces.urlFor() },
})
const [services] = (await once(child, 'message')) as [{ name: string; url: string; adminUrl: string }[]]
try {
  const target = {
    instances: (service: string) =>
      services
        .filter(({ name }) => name === service)
        .map(({ name, adminUrl }) => ({ id: `${name}-1`, service, pid: child.pid, adminUrl })),
  } as unknown as Target
  const objectives: Objective[] = services.flatMap(({ name }) => readObjectives(objective(name), `${name}.yaml`))
  const counters = new CounterWatch(objectives, 300, target, world.clock)
  const place = { file: 'bench', line: 1, column: 1 }
  const step = (to: string) => ({
    request: { method: 'GET', to, path: '/', headers: {}, json: undefined },
    expect: { status: [200] },
    capture: {},
  })
  const urls = Object.fromEntries(services.map(({ name, url }) => [name, [url]]))
  const load = await startLoad(
    services.map(({ name }) => ({
      journey: { name, setup: [], steps: [step(name)], place },
      ratePerSecond: rate / services.length,
      timeoutMs: 5000,
      urls,
    })),
    world,
  )
  const samples: LoadSample[] = []
  load.onSamples(batch => samples.push(...batch))
  await counters.start()
  const before = process.cpuUsage()
  const began = world.clock.now()
  let greatest = { own: 0, load: 0 }
  const watch = setInterval(() => {
    const loads = childrenOf(process.pid).filter(pid => pid !== child.pid)
    const now = { own: pssOf(process.pid), load: loads.reduce((sum, pid) => sum + pssOf(pid), 0) }
    if (now.own + now.load > greatest.own + greatest.load) greatest = now
  }, 500)
  await world.clock.sleep(seconds * 1000)
  const lastedMs = world.clock.now() - began
  const { user, system } = process.cpuUsage(before)
  clearInterval(watch)
  const offered = samples.filter(({ at }) => at >= began && at < began + lastedMs - 1000).length / (lastedMs / 1000 - 1)
  const health = await load.stop()
  await counters.stop()

  const own = (user + system) / 1000 / lastedMs
  const cores = own + health.cpuShare
  const [ownMb, loadMb] = [greatest.own / 1024, greatest.load / 1024]
  const [pssMb, offBy] = [ownMb + loadMb, Math.abs(offered / rate - 1)]
  console.log(
    [
      `| | goal | measured |`,
      `|---|--:|--:|`,
      `| cores (the runner ${own.toFixed(2)}, its load process ${health.cpuShare.toFixed(2)}) | ${goals.cores} | ${cores.toFixed(2)} |`,
      `| memory, PSS (the runner ${ownMb.toFixed(0)} MB, its load process ${loadMb.toFixed(0)} MB) | ${goals.pssMb} MB | ${pssMb.toFixed(0)} MB |`,
      `| requests/s of ${rate} | within ${goals.offBy * 100} % | ${offered.toFixed(0)} (${(offBy * 100).toFixed(2)} % off) |`,
      `| lateness of an arrival, p99 | | ${health.latenessP99Ms.toFixed(1)} ms |`,
      `| spans taken | | ${traces.received().spans.length}, of all traces ${traces.received().keptShare * 100} % |`,
    ].join('\n'),
  )
  if (cores > goals.cores || pssMb > goals.pssMb || offBy > goals.offBy) process.exitCode = 1
} finally {
  child.disconnect()
  await traces.close()
}

function objective(service: string): string {
  return `apiVersion: openslo/v1
kind: SLO
metadata: { name: ${service}-availability }
spec:
  service: ${service}
  budgetingMethod: Occurrences
  timeWindow: [{ duration: 30d, isRolling: true }]
  objectives: [{ target: 0.99 }]
  indicator:
    metadata: { name: ${service} }
    spec:
      ratioMetric:
        counter: true
        total: { metricSource: { type: shaketable, spec: { signal: http-server, service: ${service}, method: GET, route: / } } }
        good: { metricSource: { type: shaketable, spec: { status: "<500" } } }
`
}

/** Linux: memory that is shared counts by its share. */
function pssOf(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
}
