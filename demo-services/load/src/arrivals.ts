import type { Options, Scenario, Threshold } from 'k6/options'
import { thresholds } from '../generated/objectives.js'

/** A share of the journeys that begin. */
const mix = { browse: 0.75, checkout: 0.25 }
/** What the slowest answer may take: as many users as arrive in that time may wait at once. */
const patienceSeconds = 5

/** So many journeys a second at its end, reached evenly over its time. */
export interface Stage {
  rate: number
  seconds: number
}

/**
 * Users who come at their own pace, whether or not the shop answers: both journeys, through the same stages. `RATE` and `TIME`
 * in the environment multiply all rates and all times.
 */
export function arrivals(stages: Stage[], options: { untilMissed?: boolean } = {}): Options {
  const journeys = Object.entries(mix).map(([name, share]) => [name, scenario(stages, share)])
  return { scenarios: Object.fromEntries(journeys), thresholds: options.untilMissed ? aborting() : thresholds }
}

function scenario(stages: Stage[], share: number): Scenario {
  const factor = Number(__ENV.RATE ?? 1) * share
  const perMinute = (rate: number) => Math.ceil(rate * factor * 60)
  const peak = Math.max(...stages.map(({ rate }) => rate))
  const users = Math.max(10, Math.ceil(peak * factor * patienceSeconds))
  return {
    executor: 'ramping-arrival-rate',
    exec: 'journey',
    timeUnit: '1m',
    startRate: perMinute(stages[0]?.rate ?? 0),
    stages: stages.map(({ rate, seconds }) => ({
      target: perMinute(rate),
      duration: `${Math.round(seconds * 1000 * Number(__ENV.TIME ?? 1))}ms`,
    })),
    // All at once: a user who must first be made comes late, and what comes late is not in the load.
    preAllocatedVUs: users,
    maxVUs: users,
    gracefulStop: `${patienceSeconds}s`,
  }
}

/** The same thresholds, each of which ends the run, once there is something to judge by. */
function aborting(): Record<string, Threshold[]> {
  const ends = ([name, limits]: [string, string[]]) => [
    name,
    limits.map(threshold => ({ threshold, abortOnFail: true, delayAbortEval: '10s' })),
  ]
  return Object.fromEntries(Object.entries(thresholds).map(ends))
}
