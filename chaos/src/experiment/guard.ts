import { formatDuration, formatPercentage, suggestion } from '@shaketable/slo'
import { targetOf } from '../verdict/soundness.ts'
import { plannedRequests } from './feeding.ts'
import type { Find, References, Report, Spec } from './given.ts'
import type { Expectations, Experiment, Guard } from './model.ts'

/** Fewer requests than this in a window tell nothing of a ratio. */
export const fewestInWindow = 10

/** Of so many planned requests: how many may be bad before this share of what the target allows is spent. */
export function allowedBad(share: number, planned: number, target: number): number {
  return Number((share * planned * (1 - target)).toPrecision(12))
}

/** The guard as the model has it, its names checked. */
export function guardOf(spec: Spec, { system, objectives }: References, find: Find, report: Report): Guard | undefined {
  const { guard } = spec
  if (!guard) return undefined
  const { budget, errorRatio, health, prometheus = [] } = guard
  if (guard.objectives && budget === undefined && !errorRatio) {
    report(['guard', 'objectives'], 'nothing is asked of them', 'add "budget" or "errorRatio"')
  }
  const services = system?.services.map(each => each.name) ?? []
  if (system && health && !services.includes(health.service)) {
    const words = `no service of "${system.name}" is named "${health.service}"; ${suggestion(health.service, services)}`
    report(['guard', 'health', 'service'], words)
  }
  return {
    objectives: guard.objectives
      ? find(guard.objectives, ['guard', 'objectives'])
      : objectives.map(each => each.objective),
    budget,
    errorRatio: errorRatio && { above: errorRatio.above, overMs: errorRatio.over },
    health,
    prometheus: [prometheus].flat().map(({ url, query, above, below }) => ({ url, query, above, below })),
  }
}

/** Refuses a guard that one request, or too few to tell, would set off. */
export function checkGuard(
  spec: Spec,
  guard: Guard,
  expect: Expectations,
  loads: Experiment['load'],
  report: Report,
): void {
  const { budget, errorRatio } = guard
  const planned = guard.objectives.map(objective => ({
    ...plannedRequests(objective, loads, spec.phases.fault + spec.phases.recovery),
    name: objective.name,
    target: targetOf(objective.name, objective.target, expect),
  }))
  const fed = planned.filter(({ perSecond }) => perSecond > 0)
  const poor = fed.find(({ count, target }) => budget !== undefined && allowedBad(budget, count, target) < 1)
  if (poor) {
    const { name, count, target } = poor
    const words = `the first bad request of "${name}" would end the run: ${count} planned requests at ${formatPercentage(target)} may have ${allowedBad(1, count, target).toFixed(1)} bad ones in all`
    report(['guard', 'budget'], words, 'allow more, make the phases longer, or raise the rate')
  }
  const rare = fed.find(({ perSecond }) => errorRatio && (perSecond * errorRatio.overMs) / 1000 < fewestInWindow)
  if (rare) {
    const { name, perSecond } = rare
    const needed = formatDuration(Math.ceil((fewestInWindow / perSecond) * 1000))
    const words = `too short to tell a ratio: "${name}" has ${Number(perSecond.toFixed(2))} requests a second, and ${fewestInWindow} are needed, which takes ${needed}`
    report(['guard', 'errorRatio', 'over'], words)
  }
}
