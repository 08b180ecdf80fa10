import { type BurnRatePolicy, burnRateThreshold, errorBudget, minimumBadEvents, policiesFor } from './burn-rate.ts'
import type { Problem } from './error.ts'
import type { Objective } from './objective.ts'
import { percent, round } from './plain-numbers.ts'
import { promDuration } from './promql.ts'

/** What tells the traffic of an objective in its document: `shaketable.dev/traffic: 20/s`. */
export const trafficAnnotation = 'shaketable.dev/traffic'

/** What traffic is judged by: the conditions that the alerts have, and the traffic where no document tells it. */
export interface TrafficOptions {
  policies?: readonly BurnRatePolicy[]
  /** Events a second; of every objective, whatever its document says. */
  ratePerSecond?: number
}

export const lowTrafficHint =
  'More traffic (a probe counts too), a lower target or one objective over several services would help.'

/**
 * A warning for each objective whose traffic is known and too low: its whole budget is a handful of events, or some of its
 * alerts cannot fire, fire late, or come and go.
 */
export function trafficWarnings(objectives: readonly Objective[], options: TrafficOptions = {}): Problem[] {
  return objectives.flatMap(objective => {
    const { traffic, name } = objective
    const ratePerSecond = options.ratePerSecond ?? traffic?.ratePerSecond
    if (ratePerSecond === undefined) return []
    const found = lowTraffic(objective, ratePerSecond, options.policies)
    if (found.length === 0) return []
    const place = options.ratePerSecond === undefined && traffic ? traffic.place : objective.place
    const message = `warning: ${name} has too little traffic at ${round(ratePerSecond)} events a second: ${found.join('; ')}`
    return [{ ...place, message, hint: lowTrafficHint }]
  })
}

/** Why the traffic is too low for what the objective asks of it; nothing where it is not. */
export function lowTraffic(
  objective: Objective,
  ratePerSecond: number,
  policies?: readonly BurnRatePolicy[],
): string[] {
  // To slices of time it does not matter, as long as there is any.
  if (objective.slices) return []
  const budgetEvents = ((ratePerSecond * objective.windowMs) / 1000) * errorBudget(objective)
  const found = policiesFor(objective, policies).flatMap(policy => starved(policy, objective, ratePerSecond))
  if (budgetEvents >= minimumBadEvents) return found
  return [`the whole budget of ${promDuration(objective.windowMs)} is ${round(budgetEvents)} events`, ...found]
}

function starved(policy: BurnRatePolicy, objective: Objective, ratePerSecond: number): string[] {
  const eventsIn = (windowMs: number) => (ratePerSecond * windowMs) / 1000
  const [short, long] = [promDuration(policy.shortWindowMs), promDuration(policy.longWindowMs)]
  const needed = minimumBadEvents / eventsIn(policy.longWindowMs)
  const why = `${long} holds ${round(eventsIn(policy.longWindowMs))} events, and it takes ${minimumBadEvents} bad ones`
  if (needed > 1) return [`${policy.window} can never fire: ${why}`]
  const inShort = eventsIn(policy.shortWindowMs)
  return [
    ...(needed > burnRateThreshold(policy, objective)
      ? [`${policy.window} fires from ${percent(needed)} only: ${why}`]
      : []),
    ...(inShort < 1 ? [`${policy.window} comes and goes: ${short} holds ${round(inShort)} events`] : []),
  ]
}
