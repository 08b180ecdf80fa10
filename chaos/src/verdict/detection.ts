import { burnRateThreshold, minimumBadEvents, type Objective, policiesFor } from '@shaketable/slo'
import type { Observations } from './observations.ts'
import { type Event, isSeenByClients } from './tally.ts'

/**
 * When the objectives' own rules must page, in ms after the fault phase began, by the error ratio that clients saw until then; null:
 * never. A window of L that so far holds the good requests of a baseline of b is over its threshold θ at an error ratio r after
 * θ·b / (r − θ), and after θ·L / r once it is full; and not before 10 bad requests.
 */
export function predictedDetection(
  seen: Observations,
  events: ReadonlyMap<string, Event[]>,
  detectedMs: number | null,
): number | null {
  const { fault, baseline } = seen.phases
  if (!fault) return null
  const until = detectedMs === null ? fault.end : fault.start + Math.max(detectedMs, 500)
  const scale = seen.alertEngine === undefined ? seen.experiment.alertWindowScale : 1
  // An engine has watched for as long as it likes, and its windows are full.
  const before = seen.alertEngine === undefined ? baseline.end - baseline.start : Number.POSITIVE_INFINITY
  const times = seen.experiment.objectives.filter(isSeenByClients).flatMap(objective => {
    const counted = (events.get(objective.name) ?? []).filter(event => event.at >= fault.start && event.at < until)
    const bad = counted.filter(event => !event.good).length
    const seconds = (until - fault.start) / 1000
    return counted.length === 0 ? [] : timesToPage(objective, bad / counted.length, bad / seconds, before, scale)
  })
  return times.length === 0 ? null : Math.min(...times)
}

function timesToPage(
  objective: Objective,
  ratio: number,
  badPerSecond: number,
  beforeMs: number,
  scale: number,
): number[] {
  return policiesFor(objective)
    .filter(({ severity }) => severity === 'page')
    .flatMap(policy => {
      const threshold = burnRateThreshold(policy, objective)
      const longMs = policy.longWindowMs / scale
      if (ratio <= threshold) return []
      const enoughMs = (minimumBadEvents / badPerSecond) * 1000
      if (enoughMs > longMs) return []
      const filling = (threshold * beforeMs) / (ratio - threshold)
      const over = beforeMs + filling <= longMs ? filling : (threshold * longMs) / ratio
      return [Math.max(over, enoughMs)]
    })
}
