/** Whole runs made up from a seed: what a load would have seen of a system whose errors come as real ones do, in bursts. */
import type { Objective } from '@shaketable/slo'
import type { Experiment, FaultSpec, Step } from '../src/experiment/model.ts'
import type { LoadSample } from '../src/load/load.ts'
import type { Observations } from '../src/verdict/observations.ts'

const target = 0.97
const baselineMs = 4000
const faultMs = 12_000
const recoveryMs = 6000
const ratePerSecond = 60
/** Within a burst a request fails with this probability. */
const failingInBurst = 0.5
const place = { file: 'simulated.yaml', line: 1, column: 1 }

export interface Simulation {
  /** How long a burst of errors lasts on average, in ms; 0: every request fails or not by itself. */
  burstMs: number
  /** Of all requests, in the long run. */
  errorRatio: number
  /** The same within the fault phase; none: nothing is injected. */
  brokenErrorRatio?: number
  /** How many objectives are held, each with requests and bursts of its own; the fault breaks the first. */
  objectives?: number
}

/**
 * What such a run sees. Errors follow the two-state chain of Gilbert (1960): a request in the bad state fails with probability
 * 1/2 and never in the good one; both states last for geometric times, so that neighbouring requests share their fate.
 */
export function simulatedRun(next: () => number, simulation: Simulation): Observations {
  const { experiment, fault } = experimentOf(simulation)
  const phases = {
    baseline: { start: 0, end: baselineMs },
    fault: { start: baselineMs, end: baselineMs + faultMs },
    recovery: { start: baselineMs + faultMs, end: baselineMs + faultMs + recoveryMs },
  }
  const fails = experiment.objectives.map(() => gilbert(next, simulation.burstMs))
  const samples: LoadSample[] = []
  const arrivals = (phases.recovery.end * ratePerSecond) / 1000
  for (let index = 0; index < arrivals; index++) {
    const at = (index * 1000) / ratePerSecond
    const broken = at >= phases.fault.start && at < phases.fault.end ? simulation.brokenErrorRatio : undefined
    for (const [step, failsNow] of fails.entries()) {
      const failed = failsNow(step === 0 && broken !== undefined ? broken : simulation.errorRatio)
      const status = failed ? 503 : 200
      samples.push({ at, latencyMs: 5, journey: 'all', step, status, error: undefined, ok: !failed })
    }
  }
  const judged = samples.filter(sample => sample.at >= phases.fault.start)
  const health = { planned: arrivals, started: arrivals, latenessP99Ms: 1, latenessMaxMs: 2, dropped: 0 }
  return {
    experiment,
    file: place.file,
    seed: 0,
    startedAtWall: 0,
    phases,
    samples,
    load: [{ journey: 'all', ratePerSecond, health: { ...health, greatestInFlight: 1 } }],
    faults: fault
      ? [
          {
            id: fault.id,
            description: '',
            instances: ['shop-1'],
            armedAt: phases.fault.start,
            undoneAt: phases.fault.end,
            seen: 720,
            hit: 720,
          },
        ]
      : [],
    instanceEvents: [],
    alerts: [],
    counters: Object.fromEntries(
      experiment.objectives.map(({ name }, step) => {
        const counted = judged.filter(sample => sample.step === step)
        return [name, { good: counted.filter(each => each.ok).length, total: counted.length, instanceLost: false }]
      }),
    ),
    invariants: [],
    breach: undefined,
    aborted: undefined,
  }
}

/** Whether the next request fails, at an error ratio that may change from one to the next. */
function gilbert(next: () => number, burstMs: number): (errorRatio: number) => boolean {
  if (burstMs === 0) return errorRatio => next() < errorRatio
  const leave = 1000 / burstMs / ratePerSecond
  let bad: boolean | undefined
  return errorRatio => {
    const share = errorRatio / failingInBurst
    const enter = (leave * share) / (1 - share)
    if (bad === undefined) bad = next() < share
    else bad = bad ? next() >= leave : next() < enter
    return bad && next() < failingInBurst
  }
}

function experimentOf({ objectives: count = 1, brokenErrorRatio }: Simulation): {
  experiment: Experiment
  fault: FaultSpec | undefined
} {
  const steps = Array.from({ length: count }, (_, index): Step => {
    const request = { method: 'GET', to: 'shop', path: `/${index}`, headers: {}, json: undefined }
    return { request, expect: { status: [200] }, capture: {} }
  })
  const objectives = steps.map(({ request }, index): Objective => {
    const selector = { signal: 'http-server' as const, service: 'shop', method: 'GET', route: request.path }
    const good = { status: { below: 500 }, underSeconds: undefined }
    return {
      name: `objective-${index}`,
      title: '',
      description: undefined,
      service: 'shop',
      target,
      windowMs: 30 * 24 * 3_600_000,
      indicator: { type: 'shaketable', selector, good },
      labels: {},
      place,
    }
  })
  const fault: FaultSpec = {
    id: 'error-shop',
    kind: 'error',
    service: 'shop',
    status: 503,
    body: undefined,
    percent: 100,
    scope: 'request',
    method: undefined,
    path: undefined,
    from: undefined,
    startMs: 0,
    durationMs: faultMs,
    place,
  }
  const journey = { name: 'all', setup: [], steps, place }
  const broken = brokenErrorRatio === undefined ? undefined : fault
  return {
    fault: broken,
    experiment: {
      name: 'simulated',
      title: 'Simulated',
      system: { name: 'shop', services: [], journeys: [journey], invariants: [], dir: '/', place },
      objectives,
      load: [{ journey, ratePerSecond, timeoutMs: 2000 }],
      phases: { baselineMs, faultMs, recoveryMs },
      faults: broken ? [broken] : [],
      expect: {
        hold: objectives,
        atLeast: undefined,
        recoveryWithinMs: undefined,
        alerts: { none: false, fire: [] },
      },
      guard: undefined,
      alertWindowScale: 300,
      place,
    },
  }
}
