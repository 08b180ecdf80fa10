/** Observations of a run that never was: all went well in it but for what is asked. */
import type { Objective } from '@shaketable/slo'
import type { Experiment, FaultSpec, Step } from '../src/experiment/model.ts'
import type { LoadHealth, LoadSample } from '../src/load/load.ts'
import type { AlertTransition, Observations, ObservedFault } from '../src/verdict/observations.ts'

export const ratePerSecond = 60
export const place = { file: 'made-up.yaml', line: 1, column: 1 }
/** Begins somewhere on the clock: reports count from the baseline. */
export const begin = 50_000
export const lengths: Experiment['phases'] = { baselineMs: 4000, faultMs: 12_000, recoveryMs: 6000 }

export interface MadeUp {
  experiment?: Partial<Experiment>
  expect?: Partial<Experiment['expect']>
  /** One objective counts the requests of each; all journeys are of these. */
  steps?: Step[]
  /** What becomes of the request meant to start `ms` after the baseline's start; nothing: 200 after 5 ms. */
  answer?: (ms: number, index: number, step: number) => Partial<LoadSample> | undefined
  /** In place of all that `answer` would make. */
  samples?: LoadSample[]
  health?: Partial<LoadHealth>
  /** Parts of the fault; null: nothing is injected. */
  fault?: Partial<FaultSpec> | null
  struck?: Partial<ObservedFault>
  pages?: { ms: number; objective: string }[]
  seen?: Partial<Observations>
}

/** At 60 arrivals a second through 4 s of baseline, 12 s of fault and 6 s of recovery, if nothing else is asked. */
export function madeUpRun(made: MadeUp = {}): Observations {
  const experiment = experimentOf(made)
  const phases = made.seen?.phases ?? phasesOf(experiment.phases)
  const steps = experiment.load[0]!.journey.steps
  const end = (phases.recovery ?? phases.fault ?? phases.baseline).end
  const arrivals = Math.floor(((end - begin) * ratePerSecond) / 1000 + 1e-9)
  const samples =
    made.samples ??
    Array.from({ length: arrivals }, (_, index) =>
      steps.map((_, step) => {
        const ms = (index * 1000) / ratePerSecond
        return sampleAt(begin + ms, step, made.answer?.(ms, index, step))
      }),
    ).flat()
  const fault = experiment.faults[0]
  const health = { latenessP99Ms: 1, latenessMaxMs: 2, dropped: 0, greatestInFlight: 4, ...made.health }
  return {
    experiment,
    file: place.file,
    seed: 1,
    startedAtWall: Date.UTC(2026, 10, 21),
    phases,
    samples,
    load: [{ journey: 'look', ratePerSecond, health: { planned: arrivals, started: arrivals, ...health } }],
    faults: fault && phases.fault ? [observedFault(fault, phases.fault, made.struck)] : [],
    instanceEvents: [],
    alerts: (made.pages ?? []).flatMap(({ ms, objective }) => [
      page(begin + ms, objective, 'firing'),
      page(begin + ms + 3000, objective, 'resolved'),
    ]),
    counters: countersOf(experiment, samples, phases.fault?.start ?? begin),
    invariants: [],
    breach: undefined,
    aborted: undefined,
    ...made.seen,
  }
}

export function phasesOf({ baselineMs, faultMs, recoveryMs }: Experiment['phases'] = lengths) {
  const [fault, recovery] = [begin + baselineMs, begin + baselineMs + faultMs]
  return {
    baseline: { start: begin, end: fault },
    fault: { start: fault, end: recovery },
    recovery: { start: recovery, end: recovery + recoveryMs },
  }
}

export function sampleAt(at: number, step: number, answer?: Partial<LoadSample>): LoadSample {
  const status = answer?.status ?? 200
  return { at, latencyMs: 5, journey: 'look', step, status, error: undefined, ok: status === 200, ...answer }
}

export function getStep(path: string): Step {
  return {
    request: { method: 'GET', to: 'shop', path, headers: {}, json: undefined },
    expect: { status: [200] },
    capture: {},
  }
}

interface AskedObjective {
  route?: string
  target?: number
  good?: { below?: number; underSeconds?: number }
}

/** Of the GETs of a route: answered with less than 500, if nothing else is asked. */
export function objectiveOf(
  name: string,
  { route = '/items/:id', target = 0.99, good = { below: 500 } }: AskedObjective = {},
): Objective {
  const { below, underSeconds } = good
  return {
    name,
    title: name,
    description: undefined,
    service: 'shop',
    target,
    windowMs: 30 * 24 * 3_600_000,
    indicator: {
      type: 'shaketable',
      selector: { signal: 'http-server', service: 'shop', method: 'GET', route },
      good: { status: below === undefined ? undefined : { below }, underSeconds },
    },
    labels: {},
    place,
  }
}

export function experimentOf({ experiment, expect, steps = [getStep('/items/7?a=b')], fault }: MadeUp): Experiment {
  const journey = { name: 'look', setup: [], steps, place }
  const objectives = experiment?.objectives ?? [objectiveOf('available')]
  const local = { command: [], replicas: 2, env: {}, graceMs: 1000, restartDelayMs: 0 }
  return {
    name: 'made-up',
    title: 'Made up',
    system: {
      name: 'shop',
      services: [{ name: 'shop', local, ready: '/', place }],
      journeys: [journey],
      invariants: [],
      dir: '/',
      place,
    },
    objectives,
    load: [{ journey, ratePerSecond, timeoutMs: 2000 }],
    phases: lengths,
    faults: fault === null ? [] : [{ ...errorOfBack, ...fault } as FaultSpec],
    guard: undefined,
    alertWindowScale: 600,
    place,
    ...experiment,
    expect: {
      hold: objectives,
      atLeast: undefined,
      recoveryWithinMs: undefined,
      alerts: { none: false, fire: [] },
      ...expect,
    },
  }
}

const errorOfBack: FaultSpec = {
  id: 'error-back',
  kind: 'error',
  service: 'back',
  status: 503,
  body: undefined,
  percent: 100,
  scope: 'request',
  method: undefined,
  path: undefined,
  from: undefined,
  startMs: 0,
  durationMs: lengths.faultMs,
  place,
}

function observedFault(
  { id }: FaultSpec,
  { start, end }: { start: number; end: number },
  struck?: Partial<ObservedFault>,
) {
  const description = '503 on 100 % of requests to back'
  return { id, description, instances: ['back-1'], armedAt: start + 10, undoneAt: end, seen: 700, hit: 700, ...struck }
}

function page(at: number, objective: string, state: AlertTransition['state']): AlertTransition {
  return { at, objective, severity: 'page', window: '5m/1h', state }
}

/** What the services would have counted of the same requests. */
function countersOf({ objectives, load }: Experiment, samples: LoadSample[], from: number): Observations['counters'] {
  const { steps } = load[0]!.journey
  return Object.fromEntries(
    objectives.map(({ name, indicator }) => {
      const route = indicator.type === 'shaketable' ? indicator.selector.route : undefined
      const step = steps.findIndex(({ request }) => request.path === route)
      const counted = samples.filter(sample => sample.at >= from && (step < 0 || sample.step === step))
      const good = counted.filter(({ status }) => status > 0 && status < 500).length
      return [name, { good, total: counted.length, instanceLost: false }]
    }),
  )
}
