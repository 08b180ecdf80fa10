import { burnRateFactor, burnRateThreshold, errorBudget, policiesFor, type Severity, timeToFire } from './burn-rate.ts'
import type { Indicator, Measure, Objective, Operator, Slices } from './objective.ts'
import { count, percent, round } from './plain-numbers.ts'
import { promDuration } from './promql.ts'
import { type Signal, selectorFields } from './signals.ts'
import { lowTraffic, lowTrafficHint } from './traffic.ts'

const errorRatios = [1, 0.5, 0.1, 0.05]

/**
 * What an objective promises, what it allows and when it alerts, as lines of plain text for a reader who is new to budgets.
 * With the traffic in events a second, given or told by its document, also what it allows in events, and a warning where they
 * are too few for its windows.
 */
export function explain(objective: Objective, options: { ratePerSecond?: number } = {}): string {
  const period = periodOf(objective)
  const budget = errorBudget(objective)
  // Traffic does not matter to slices of time, as long as there is any.
  const ratePerSecond = objective.slices ? undefined : (options.ratePerSecond ?? objective.traffic?.ratePerSecond)
  const counted = objective.slices ? 'slices' : 'events'
  return [
    `${objective.name}: ${percent(objective.target)} of the ${counted} of ${objective.service} are good, over ${period}.`,
    ...(objective.slices ? [sliceOf(objective.slices)] : []),
    `An event is ${eventOf(objective.indicator)}.`,
    ...(objective.slices
      ? [sliceBudget(objective, objective.slices)]
      : [
          `The error budget is ${percent(budget)}: ${count(budget * 1e6)} bad events in a million, or ${round((budget * objective.windowMs) / 60_000)} minutes of outage in ${period} at steady traffic.`,
        ]),
    ...(ratePerSecond === undefined ? [] : [atRate(objective, ratePerSecond)]),
    ...alertLines(objective, ratePerSecond),
    ...(ratePerSecond === undefined ? [] : warnings(objective, ratePerSecond)),
  ].join('\n')
}

function periodOf({ windowMs, calendar }: Objective): string {
  if (!calendar) return promDuration(windowMs)
  const { months, startTime, timeZone } = calendar
  const length = months === undefined ? promDuration(windowMs) : months === 1 ? 'month' : `${months} months`
  return `each ${length} of the calendar as from ${startTime} in ${timeZone}`
}

function sliceOf({ windowMs, target }: Slices): string {
  const length = promDuration(windowMs)
  if (target === undefined) return `A slice is ${length}, and as good as the part of its events that are.`
  return `A slice is ${length}, and good if ${percent(target)} of its events are. One without events does not count.`
}

function sliceBudget(objective: Objective, { windowMs }: Slices): string {
  const bad = (errorBudget(objective) * objective.windowMs) / windowMs
  const minutes = round((errorBudget(objective) * objective.windowMs) / 60_000)
  return `The error budget is ${percent(errorBudget(objective))}: ${count(bad)} slices, or ${minutes} minutes.`
}

function atRate(objective: Objective, ratePerSecond: number): string {
  const events = (ratePerSecond * objective.windowMs) / 1000
  const bad = count(events * errorBudget(objective))
  return `At ${round(ratePerSecond)} events a second, ${bad} of the ${count(events)} events of ${promDuration(objective.windowMs)} may be bad.`
}

function alertLines(objective: Objective, ratePerSecond: number | undefined): string[] {
  const policies = policiesFor(objective)
  if (policies.length === 0) return ['No burn-rate alert fits it: its window is too short for any of them.']
  return [
    'It alerts when the error ratio over both windows exceeds the threshold:',
    ...policies.map(policy => {
      const factor = round(burnRateFactor(policy, objective.windowMs))
      const pace = factor === '1' ? 'just what' : `${factor} times what`
      const threshold = percent(burnRateThreshold(policy, objective))
      return `  ${policy.severity.padEnd(6)} ${policy.window.padEnd(6)} over ${threshold}, ${pace} the budget allows`
    }),
    'Errors that begin at once and stay alert, from a clean start and at steady traffic:',
    ...errorRatios.map(errorRatio => {
      const when = (['page', 'ticket'] as const).map(severity => fires(objective, severity, errorRatio, ratePerSecond))
      return `  ${`${errorRatio * 100} %`.padStart(5)} of errors ${when.join(', ')}`
    }),
  ]
}

function fires(
  objective: Objective,
  severity: Severity,
  errorRatio: number,
  ratePerSecond: number | undefined,
): string {
  const times = policiesFor(objective)
    .filter(policy => policy.severity === severity)
    .map(policy => timeToFire(policy, objective, errorRatio, ratePerSecond))
    .filter(time => time !== undefined)
  return times.length === 0 ? `never ${severity}` : `${severity} after ${span(Math.min(...times))}`
}

function warnings(objective: Objective, ratePerSecond: number): string[] {
  const found = lowTraffic(objective, ratePerSecond)
  return found.length === 0 ? [] : [...found.map(words => `Warning, low traffic: ${words}.`), lowTrafficHint]
}

function eventOf(indicator: Indicator): string {
  if (indicator.type === 'prometheus') return `what ${indicator.totalQuery} counts`
  if (indicator.type === 'measured') return measuredEvent(indicator.measure)
  const { selector, good } = indicator
  const operation = [...(selector.method ? [`a ${selector.method}`] : ['any']), operationNames[selector.signal]]
  operation.push(selector.service)
  for (const field of selectorFields) {
    if (field === 'method' || selector[field] === undefined) continue
    operation.push(field === 'route' ? selector[field] : `with the ${field} ${selector[field]}`)
  }
  const conditions = [
    ...(good.status === undefined ? [] : [`with a status below ${good.status.below}`]),
    ...(good.withoutError ? ['without an error'] : []),
    ...(good.underSeconds === undefined ? [] : [`within ${round(good.underSeconds * 1000)} ms`]),
  ]
  return `${operation.join(' ')}, good if ${good.status ? 'answered' : 'ended'} ${conditions.join(' and ')}`
}

const operationNames: Record<Signal, string> = {
  'http-server': 'request to',
  'http-client': 'request from',
  database: 'database operation of',
  'messaging-client': 'message operation of',
  'messaging-process': 'message processed by',
  'rpc-server': 'call to',
  'rpc-client': 'call from',
}

const comparisons: Record<Operator, string> = { lte: 'at most', gte: 'at least', lt: 'less than', gt: 'more than' }

function measuredEvent(measure: Measure): string {
  const each = 'at each evaluation of the rules'
  if (measure.by === 'gauges') return `what ${measure.totalQuery} holds ${each}`
  if (measure.by === 'ratio') return `a measurement of ${measure.query.trim()} ${each}, bad by as much as its ratio is`
  return `a measurement of ${measure.query.trim()} ${each}, good if ${comparisons[measure.op]} ${measure.value}`
}

/** In the greatest unit of which there are two or more. */
function span(ms: number): string {
  const units = [
    ['days', 86_400_000],
    ['hours', 3_600_000],
    ['minutes', 60_000],
  ] as const
  const [unit, size] = units.find(([, size]) => ms >= 2 * size) ?? (['seconds', 1000] as const)
  return `${round(ms / size)} ${unit}`
}
