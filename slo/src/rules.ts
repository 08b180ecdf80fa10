import { stringify } from 'yaml'
import { type AlertLinks, type AlertRule, alertRules, identity, seriesOf } from './alerts.ts'
import { errorBudget, policiesFor } from './burn-rate.ts'
import { exitCode, ShaketableError } from './error.ts'
import type { Objective } from './objective.ts'
import { eventRates, promDuration } from './promql.ts'

/** A recording rule as Prometheus reads it. */
export interface RecordingRule {
  record: string
  expr: string
  labels: Record<string, string>
}

export interface RuleGroup {
  name: string
  rules: (RecordingRule | AlertRule)[]
}

/** A Prometheus rules file. */
export interface RulesFile {
  groups: RuleGroup[]
}

/**
 * The recording rules and alerts of objectives, for Prometheus from 2.42 on. Three groups an objective: its ratios over
 * every window, what they mean for the budget, and the alerts; the names are those that Sloth's users know.
 *
 * The period's ratio divides sums of recorded rates, so that a busy hour weighs more than a quiet one.
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_UNMEASURABLE`, or `SHAKETABLE_OBJECTIVE_TWICE` for a name used twice.
 */
export function prometheusRules(objectives: readonly Objective[], links: AlertLinks = {}): RulesFile {
  refuseTwins(objectives)
  return { groups: objectives.flatMap(objective => ruleGroups(objective, links)) }
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

/** The three groups of one objective. */
export function ruleGroups(objective: Objective, links: AlertLinks): RuleGroup[] {
  return [
    { name: `slo-sli-recordings-${objective.name}`, rules: ratioRules(objective) },
    { name: `slo-meta-recordings-${objective.name}`, rules: budgetRules(objective) },
    { name: `slo-alerts-${objective.name}`, rules: alertRules(objective, links) },
  ]
}

/** A typed rules or test file as YAML. */
export function toYaml(file: object): string {
  return stringify(file, { lineWidth: 0, blockQuote: 'literal', aliasDuplicateObjects: false })
}

/** Bad and total rates, and their ratio, over every window that an alert reads, then over the objective's period. */
function ratioRules(objective: Objective): RecordingRule[] {
  const labels = identity(objective)
  const series = seriesOf(objective)
  const windows = alertWindows(objective)
  const rules = windows.flatMap(window => {
    const { bad, total } = eventRates(objective, window)
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
  const period = promDuration(objective.windowMs)
  // An objective over half an hour has its ratio already.
  if (windows.includes(period)) return rules
  const sum = (name: string) => `sum_over_time(${name}:rate5m${series}[${period}])`
  const ratio = `${sum('slo:sli_bad')} / (${sum('slo:sli_total')} > 0)`
  return [...rules, { record: `slo:sli_error:ratio_rate${period}`, expr: ratio, labels }]
}

/** 5m and the window of the absence alert always; the others as the alerts need them. */
function alertWindows(objective: Objective): string[] {
  const ofAlerts = policiesFor(objective).flatMap(policy => [policy.shortWindowMs, policy.longWindowMs])
  const all = [300_000, 1_800_000, ...ofAlerts]
  return [...new Set(all)].sort((a, b) => a - b).map(promDuration)
}

function budgetRules(objective: Objective): RecordingRule[] {
  const series = seriesOf(objective)
  const period = `slo:sli_error:ratio_rate${promDuration(objective.windowMs)}${series}`
  const rules = {
    'slo:objective:ratio': `vector(${objective.target})`,
    'slo:error_budget:ratio': `vector(${errorBudget(objective)})`,
    'slo:time_period:days': `vector(${objective.windowMs / 86_400_000})`,
    'slo:current_burn_rate:ratio': `slo:sli_error:ratio_rate5m${series} / slo:error_budget:ratio${series}`,
    'slo:period_burn_rate:ratio': `${period} / slo:error_budget:ratio${series}`,
    'slo:period_error_budget_remaining:ratio': `1 - slo:period_burn_rate:ratio${series}`,
  }
  return Object.entries(rules).map(([record, expr]) => ({ record, expr, labels: identity(objective) }))
}
