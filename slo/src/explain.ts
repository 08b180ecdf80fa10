import { burnRateFactor, burnRateThreshold, errorBudget, policiesFor, timeToFire } from './burn-rate.ts'
import type { Indicator, Objective } from './objective.ts'
import { promDuration } from './promql.ts'

/** What an objective promises and when it alerts, as lines of plain text for a reader who is new to budgets. */
export function explain(objective: Objective): string {
  const period = promDuration(objective.windowMs)
  const budget = errorBudget(objective)
  const outageMinutes = (budget * objective.windowMs) / 60_000
  return [
    `${objective.name}: ${percent(objective.target)} of the events of ${objective.service} are good, over ${period}.`,
    `An event is ${eventOf(objective.indicator)}.`,
    `The error budget is ${percent(budget)}: one bad event in ${round(1 / budget)}, or ${round(outageMinutes)} minutes of outage in ${period} at steady traffic.`,
    'It alerts when the error ratio over both windows exceeds the threshold:',
    ...policiesFor(objective).map(policy => {
      const factor = round(burnRateFactor(policy, objective.windowMs))
      const pace = factor === '1' ? 'just what' : `${factor} times what`
      const fires = round(timeToFire(policy, objective, 1)! / 60_000)
      const threshold = percent(burnRateThreshold(policy, objective))
      return `  ${policy.severity.padEnd(6)} ${policy.window.padEnd(6)} over ${threshold}, ${pace} the budget allows; in an outage after ${fires} minutes`
    }),
  ].join('\n')
}

function eventOf(indicator: Indicator): string {
  if (indicator.type === 'prometheus') return `what ${indicator.totalQuery} counts`
  const { selector, good } = indicator
  const request = [
    selector.method ?? 'any',
    selector.signal === 'http-server' ? 'request to' : 'request from',
    selector.service,
    ...(selector.route === undefined ? [] : [selector.route]),
  ].join(' ')
  const conditions = [
    ...(good.status === undefined ? [] : [`with a status below ${good.status.below}`]),
    ...(good.underSeconds === undefined ? [] : [`within ${round(good.underSeconds * 1000)} ms`]),
  ]
  return `a ${request}, good if answered ${conditions.join(' and ')}`
}

function percent(ratio: number): string {
  return `${round(ratio * 100)} %`
}

function round(value: number): string {
  return String(Number(value.toPrecision(5)))
}
