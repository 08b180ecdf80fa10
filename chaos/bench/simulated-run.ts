/** Whole runs made up from a seed: what a load would have seen of a system whose errors come as real ones do, in bursts. */
import type { LoadSample } from '../src/load/load.ts'
import type { Observations } from '../src/verdict/observations.ts'
import { isSure, looksAt } from '../src/verdict/sure.ts'
import {
  begin,
  experimentOf,
  getStep,
  lengths,
  madeUpRun,
  objectiveOf,
  phasesOf,
  ratePerSecond,
  sampleAt,
} from './made-up-run.ts'

const target = 0.97
/** Within a burst a request fails with this probability. */
const failingInBurst = 0.5

export interface Simulation {
  /** How long a burst of errors lasts on average, in ms; 0: every request fails or not by itself. */
  burstMs: number
  /** Of all requests, in the long run. */
  errorRatio: number
  /** The same within the fault phase; none: nothing is injected. */
  brokenErrorRatio?: number
  /** How many objectives are held, each with requests and bursts of its own; the fault breaks the first. */
  objectives?: number
  /** Another length of the fault phase, in ms. */
  faultMs?: number
  /** The fault phase is over once the verdict is sure. */
  endFaultWhenSure?: boolean
}

/**
 * What such a run sees. Errors follow the two-state chain of Gilbert (1960): a request in the bad state fails with probability
 * 1/2 and never in the good one; both states last for geometric times, so that neighbouring requests share their fate.
 */
export function simulatedRun(next: () => number, simulation: Simulation): Observations {
  const { burstMs, errorRatio, brokenErrorRatio, faultMs = lengths.faultMs, endFaultWhenSure = false } = simulation
  const names = Array.from({ length: simulation.objectives ?? 1 }, (_, index) => `objective-${index}`)
  const steps = names.map(name => getStep(`/${name}`))
  const objectives = names.map(name => objectiveOf(name, { route: `/${name}`, target }))
  const fault = brokenErrorRatio === undefined ? null : { durationMs: faultMs }
  const made = { steps, fault, experiment: { objectives, phases: { ...lengths, faultMs, endFaultWhenSure } } }
  const experiment = experimentOf(made)
  const phases = phasesOf(experiment.phases)
  const looks = endFaultWhenSure ? looksAt(experiment, phases.fault) : []
  let endedAtLook: number | undefined

  const fails = steps.map(() => gilbert(next, burstMs))
  const samples: LoadSample[] = []
  for (let index = 0; ; index++) {
    const at = begin + (index * 1000) / ratePerSecond
    while (endedAtLook === undefined && looks[0] && looks[0].at <= at) {
      const { look, seen } = looks.shift()!
      if (!isSure(experiment, samples, seen, look)) continue
      endedAtLook = look
      phases.fault.end = at
      phases.recovery = { start: at, end: at + lengths.recoveryMs }
    }
    if (at >= phases.recovery.end) break
    const broken = at >= phases.fault.start && at < phases.fault.end ? brokenErrorRatio : undefined
    for (const [step, failsNow] of fails.entries()) {
      const failed = failsNow(step === 0 && broken !== undefined ? broken : errorRatio)
      samples.push(sampleAt(at, step, failed ? { status: 503 } : undefined))
    }
  }
  return madeUpRun({ ...made, samples, seen: { phases, endedAtLook } })
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
