import { type AlertOptions, type AlertRule, alertRules, identity, silenceWindowMs } from './alerts.ts'
import { errorBudget, policiesFor, sliceThreshold } from './burn-rate.ts'
import { type Calendar, longestMs, periodStart } from './calendar.ts'
import { exitCode, ShaketableError } from './error.ts'
import type { Objective, Slices } from './objective.ts'
import { eventRates, measured, measurement, promDuration, recordedRates, seriesOf } from './promql.ts'

/** A recording rule as Prometheus reads it. */
export interface RecordingRule {
  record: string
  expr: string
  labels: Record<string, string>
}

export interface RuleGroup {
  name: string
  /** Where it is not Prometheus' own: the slice of an objective that counts slices of time. */
  interval?: string
  rules: (RecordingRule | AlertRule)[]
}

/** A Prometheus rules file. */
export interface RulesFile {
  groups: RuleGroup[]
}

/**
 * The recording rules and alerts of objectives, for Prometheus from 2.42 on. Three groups an objective: its ratios over
 * every window, what they mean for the budget, and the alerts; before them one for its slices of time, and one for what is
 * measured anew at every evaluation, where it has those. The names are those that Sloth's users know.
 *
 * The period's ratio divides sums of recorded rates, so that a busy hour weighs more than a quiet one.
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_UNMEASURABLE`, or `SHAKETABLE_OBJECTIVE_TWICE` for a name used twice.
 */
export function prometheusRules(objectives: readonly Objective[], options: AlertOptions = {}): RulesFile {
  refuseTwins(objectives)
  return { groups: objectives.flatMap(objective => ruleGroups(objective, options)) }
}

/** Two objectives of one name would record the same series. */
export function refuseTwins(objectives: readonly Objective[]): void {
  const names = new Set<string>()
  for (const { name } of objectives) {
    if (names.has(name)) {
      throw new ShaketableError('SHAKETABLE_OBJECTIVE_TWICE', `Two objectives are named ${name}.`, {
        exitCode: exitCode.invalidInput,
        hint: 'Rename one: their recorded series would be the same.',
      })
    }
    names.add(name)
  }
}

/** The groups of one objective. */
export function ruleGroups(objective: Objective, options: AlertOptions): RuleGroup[] {
  const { name, slices } = objective
  return [
    ...measurements(objective),
    ...(slices ? [sliceGroup(objective, slices)] : []),
    { name: `slo-sli-recordings-${name}`, rules: ratioRules(objective, options) },
    { name: `slo-meta-recordings-${name}`, rules: budgetRules(objective) },
    { name: `slo-alerts-${name}`, rules: alertRules(objective, options) },
  ]
}

function measurements(objective: Objective): RuleGroup[] {
  const { indicator, name } = objective
  if (indicator.type !== 'measured') return []
  const { bad, total } = measurement(indicator.measure, baseWindowMs(objective))
  const labels = identity(objective)
  const rules = [
    { record: measured.bad, expr: bad, labels },
    { record: measured.total, expr: total, labels },
  ]
  return [{ name: `slo-measurements-${name}`, rules }]
}

/** How bad each slice was, from 0 to 1, and that there was one. */
export const sliceSeries = { bad: 'slo:slice_bad:ratio', total: 'slo:slice_total:count' } as const

function sliceGroup(objective: Objective, slices: Slices): RuleGroup {
  const labels = identity(objective)
  const { bad, total } = eventRates(objective, slices.windowMs)
  const ratio = `(${bad}) / ((${total}) > 0)`
  const expr = slices.target === undefined ? ratio : `${ratio} > bool ${sliceThreshold(slices.target)}`
  return {
    name: `slo-slices-${objective.name}`,
    interval: promDuration(slices.windowMs),
    rules: [
      { record: sliceSeries.bad, expr, labels },
      { record: sliceSeries.total, expr: `${sliceSeries.bad}${seriesOf(objective)} * 0 + 1`, labels },
    ],
  }
}

/** The shortest window that is recorded. */
export function baseWindowMs({ slices }: Objective): number {
  return Math.max(300_000, slices?.windowMs ?? 0)
}

/** Prometheus holds so many samples of a period at once; promtool allows its tests 10,000 in all. */
const mostSteps = 2300

/**
 * The window of which a calendar's period is laid together, one after the other: the shortest of which it does not take too
 * many. A period begins to within one of them.
 */
export function calendarStepMs(objective: Objective, calendar: Calendar): number {
  const base = baseWindowMs(objective)
  const longest = longestMs(calendar, objective.windowMs)
  return [300_000, 1_800_000, 3_600_000, 21_600_000, 86_400_000].find(
    step => step >= base && longest / step <= mostSteps,
  )!
}

/** Bad and total rates, and their ratio, over every window that an alert reads, then over the objective's period. */
function ratioRules(objective: Objective, options: AlertOptions): RecordingRule[] {
  const labels = identity(objective)
  const series = seriesOf(objective)
  const windows = recordedWindows(objective, options)
  const rules = windows.flatMap(windowMs => {
    const window = promDuration(windowMs)
    const { bad, total } = objective.slices
      ? recordedRates(objective, sliceSeries, windowMs)
      : eventRates(objective, windowMs)
    return [
      { record: `slo:sli_bad:rate${window}`, expr: bad, labels },
      { record: `slo:sli_total:rate${window}`, expr: total, labels },
      {
        record: `slo:sli_error:ratio_rate${window}`,
        expr: `slo:sli_bad:rate${window}${series} / (slo:sli_total:rate${window}${series} > 0)`,
        labels,
      },
    ]
  })
  const record = `slo:sli_error:ratio_rate${promDuration(objective.windowMs)}`
  if (objective.calendar) {
    const start = { record: periodStartName, expr: periodStart(objective.calendar, objective.windowMs), labels }
    return [...rules, start, { record, expr: calendarRatio(objective, objective.calendar), labels }]
  }
  // An objective over half an hour has its ratio already.
  if (windows.includes(objective.windowMs)) return rules
  const sum = (name: string) => `sum_over_time(${name}${series}[${promDuration(objective.windowMs)}])`
  const { bad, total } = recordedEvents(objective)
  return [...rules, { record, expr: `${sum(bad)} / (${sum(total)} > 0)`, labels }]
}

/** The series whose sums over time are in the proportion of bad events to all. */
function recordedEvents(objective: Objective): { bad: string; total: string } {
  if (objective.slices) return sliceSeries
  return objective.indicator.type === 'measured' ? measured : recordedOver(baseWindowMs(objective))
}

function recordedOver(windowMs: number): { bad: string; total: string } {
  const window = promDuration(windowMs)
  return { bad: `slo:sli_bad:rate${window}`, total: `slo:sli_total:rate${window}` }
}

const periodStartName = 'slo:time_period:start_seconds'

/** Over the longest period there is, what lies before the beginning of the present one is left out. */
function calendarRatio(objective: Objective, calendar: Calendar): string {
  const series = seriesOf(objective)
  const stepMs = calendarStepMs(objective, calendar)
  const range = `[${promDuration(longestMs(calendar, objective.windowMs))}:${promDuration(stepMs)}]`
  const since = `(vector(time()) > on() (${periodStartName}${series} @ end()))`
  const sum = (name: string) => `sum_over_time((${name}${series} and on() ${since})${range})`
  const { bad, total } = recordedOver(stepMs)
  return `${sum(bad)} / (${sum(total)} > 0)`
}

/** The shortest and that of the absence alert always; the others as the alerts and the calendar need them. */
export function recordedWindows(objective: Objective, { policies }: AlertOptions): number[] {
  const { calendar } = objective
  const ofAlerts = policiesFor(objective, policies).flatMap(policy => [policy.shortWindowMs, policy.longWindowMs])
  const ofCalendar = calendar ? [calendarStepMs(objective, calendar)] : []
  const all = [baseWindowMs(objective), silenceWindowMs(objective), ...ofCalendar, ...ofAlerts]
  return [...new Set(all)].sort((a, b) => a - b)
}

function budgetRules(objective: Objective): RecordingRule[] {
  const series = seriesOf(objective)
  const period = `slo:sli_error:ratio_rate${promDuration(objective.windowMs)}${series}`
  const current = `slo:sli_error:ratio_rate${promDuration(baseWindowMs(objective))}${series}`
  const rules = {
    'slo:objective:ratio': `vector(${objective.target})`,
    'slo:error_budget:ratio': `vector(${errorBudget(objective)})`,
    'slo:time_period:days': `vector(${objective.windowMs / 86_400_000})`,
    'slo:current_burn_rate:ratio': `${current} / slo:error_budget:ratio${series}`,
    'slo:period_burn_rate:ratio': `${period} / slo:error_budget:ratio${series}`,
    'slo:period_error_budget_remaining:ratio': `1 - slo:period_burn_rate:ratio${series}`,
  }
  return Object.entries(rules).map(([record, expr]) => ({ record, expr, labels: identity(objective) }))
}
