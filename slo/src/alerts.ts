import { type BurnRatePolicy, badEventsNeeded, burnRateFactor, burnRateThreshold, policiesFor } from './burn-rate.ts'
import type { Objective } from './objective.ts'
import { promDuration, seriesOf } from './promql.ts'

/** An alerting rule as Prometheus reads it. */
export interface AlertRule {
  alert: string
  expr: string
  for?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** When the alerts of objectives fire, and where they send their reader. */
export interface AlertOptions {
  /** The burn-rate conditions; the four of the SRE workbook where not given. */
  policies?: readonly BurnRatePolicy[]
  /** The objectives dashboard; the objective is added as `?var-slo=NAME`. */
  dashboard?: string
  /** The runbooks; the alert is added as `#alertname`. */
  runbooks?: string
}

/** The alerts of every objective, by their names in Prometheus. */
export const objectiveAlert = { burn: 'ErrorBudgetBurn', absent: 'ObjectiveWithoutTraffic' } as const

const defaultLinks = { dashboard: '/d/shaketable-objectives', runbooks: 'dashboards/RUNBOOKS.md' }

/**
 * Tells whoever is paged that somebody is breaking things on purpose: the alert fires nevertheless, since what an experiment
 * breaks is broken for everybody. Empty, and so left out by Prometheus, while no fault strikes.
 */
const experimentArmed =
  '{{ range query "sum by (job, shaketable_fault_kind) (increase(shaketable_faults_injected_total[15m])) > 0" }}' +
  'An experiment injects {{ .Labels.shaketable_fault_kind }} into {{ .Labels.job }}. {{ end }}'

/** The window in which a service without any event counts as silent, in ms: half an hour, or a slice that is longer. */
export function silenceWindowMs({ slices }: Objective): number {
  return Math.max(1_800_000, slices?.windowMs ?? 0)
}

/** The burn-rate conditions that can hold for the objective, and the alert for a service that nobody reaches. */
export function alertRules(objective: Objective, options: AlertOptions = {}): AlertRule[] {
  const policies = policiesFor(objective, options.policies)
  return [...policies.map(policy => burnAlert(objective, policy, options)), absenceAlert(objective, options)]
}

function burnAlert(objective: Objective, policy: BurnRatePolicy, options: AlertOptions): AlertRule {
  const threshold = burnRateThreshold(policy, objective)
  const [short, long] = [promDuration(policy.shortWindowMs), promDuration(policy.longWindowMs)]
  const series = seriesOf(objective)
  const factor = Number(burnRateFactor(policy, objective.windowMs).toPrecision(4))
  const period = promDuration(objective.windowMs)
  const needed = badEventsNeeded(objective)
  return {
    alert: objectiveAlert.burn,
    expr: [
      `slo:sli_error:ratio_rate${short}${series} > ${threshold}`,
      `and slo:sli_error:ratio_rate${long}${series} > ${threshold}`,
      ...(needed === 0 ? [] : [`and slo:sli_bad:rate${long}${series} * ${policy.longWindowMs / 1000} >= ${needed}`]),
    ].join('\n'),
    labels: { ...labelsOf(objective), ...identity(objective), severity: policy.severity, window: policy.window },
    annotations: {
      summary: `${objective.title}: the error budget of ${objective.service} burns more than ${factor} times too fast`,
      description:
        `{{ $value | humanizePercentage }} of the ${objective.slices ? 'slices' : 'events'} of the last ${short} were bad, and over ${long} too more than ` +
        `${percent(threshold)}.`,
      impact: `At this pace ${percent(policy.budgetFraction)} of the ${period} budget is gone within ${long}.`,
      experiment: experimentArmed,
      ...linksOf(objective, objectiveAlert.burn, options),
    },
  }
}

function absenceAlert(objective: Objective, options: AlertOptions): AlertRule {
  const window = promDuration(silenceWindowMs(objective))
  const total = `slo:sli_total:rate${window}${seriesOf(objective)}`
  return {
    alert: objectiveAlert.absent,
    expr: `${total} == 0 or absent(${total})`,
    for: '5m',
    labels: { ...labelsOf(objective), ...identity(objective), severity: 'ticket' },
    annotations: {
      summary: `${objective.title}: no events of ${objective.service} for ${window}`,
      description: 'Nothing is counted: the service gets no requests, is down, or is not scraped.',
      impact: 'The objective says nothing, neither good nor bad: an outage would look like this.',
      ...linksOf(objective, objectiveAlert.absent, options),
    },
  }
}

/** Prometheus before 3 knows no dot, no hyphen and no leading digit in the name of a label; OpenSLO does. */
function labelsOf(objective: Objective): Record<string, string> {
  return Object.fromEntries(
    Object.entries(objective.labels).map(([name, value]) => [name.replace(/[-.]|^(?=\d)/g, '_'), value]),
  )
}

/** The labels that every series and alert of an objective carries. */
export function identity(objective: Objective): Record<string, string> {
  return { slo: objective.name, service: objective.service }
}

function linksOf(objective: Objective, alert: string, options: AlertOptions): Record<string, string> {
  const { dashboard, runbooks } = { ...defaultLinks, ...options }
  return {
    dashboard: `${dashboard}?var-slo=${encodeURIComponent(objective.name)}`,
    runbook: `${runbooks}#${alert.toLowerCase()}`,
  }
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(4))} %`
}
