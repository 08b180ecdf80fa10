import { type BurnRatePolicy, burnRateFactor, burnRateThreshold, minimumBadEvents, policiesFor } from './burn-rate.ts'
import type { Objective } from './objective.ts'
import { promDuration, quote } from './promql.ts'

/** An alerting rule as Prometheus reads it. */
export interface AlertRule {
  alert: string
  expr: string
  for?: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

/** Where the alerts of objectives send their reader. */
export interface AlertLinks {
  /** The objectives dashboard; the objective is added as `?var-slo=NAME`. */
  dashboard?: string
  /** The runbooks; the alert is added as `#alertname`. */
  runbooks?: string
}

/** The alerts of every objective, by their names in Prometheus. */
export const objectiveAlert = { burn: 'ErrorBudgetBurn', absent: 'ObjectiveWithoutTraffic' } as const

const defaultLinks = { dashboard: '/d/shaketable-objectives', runbooks: 'dashboards/RUNBOOKS.md' }

/** The window in which a service without any request counts as silent. */
export const silenceWindow = '30m'

/** Selects the recorded series of an objective. */
export function seriesOf(objective: Objective): string {
  return `{slo=${quote(objective.name)},service=${quote(objective.service)}}`
}

/** The burn-rate conditions that can hold for the objective, and the alert for a service that nobody reaches. */
export function alertRules(objective: Objective, links: AlertLinks = {}): AlertRule[] {
  return [...policiesFor(objective).map(policy => burnAlert(objective, policy, links)), absenceAlert(objective, links)]
}

function burnAlert(objective: Objective, policy: BurnRatePolicy, links: AlertLinks): AlertRule {
  const threshold = burnRateThreshold(policy, objective)
  const [short, long] = [promDuration(policy.shortWindowMs), promDuration(policy.longWindowMs)]
  const series = seriesOf(objective)
  const factor = Number(burnRateFactor(policy, objective.windowMs).toPrecision(4))
  const period = promDuration(objective.windowMs)
  return {
    alert: objectiveAlert.burn,
    expr: [
      `slo:sli_error:ratio_rate${short}${series} > ${threshold}`,
      `and slo:sli_error:ratio_rate${long}${series} > ${threshold}`,
      `and slo:sli_bad:rate${long}${series} * ${policy.longWindowMs / 1000} >= ${minimumBadEvents}`,
    ].join('\n'),
    labels: { ...labelsOf(objective), ...identity(objective), severity: policy.severity, window: policy.window },
    annotations: {
      summary: `${objective.title}: the error budget of ${objective.service} burns more than ${factor} times too fast`,
      description:
        `{{ $value | humanizePercentage }} of the events of the last ${short} were bad, and over ${long} too more than ` +
        `${percent(threshold)}. At this pace ${percent(policy.budgetFraction)} of the ${period} budget is gone within ${long}.`,
      ...linksOf(objective, objectiveAlert.burn, links),
    },
  }
}

function absenceAlert(objective: Objective, links: AlertLinks): AlertRule {
  const total = `slo:sli_total:rate${silenceWindow}${seriesOf(objective)}`
  return {
    alert: objectiveAlert.absent,
    expr: `${total} == 0 or absent(${total})`,
    for: '5m',
    labels: { ...labelsOf(objective), ...identity(objective), severity: 'ticket' },
    annotations: {
      summary: `${objective.title}: no events of ${objective.service} for ${silenceWindow}`,
      description:
        'Nothing is counted, so the objective says nothing: the service gets no requests, is down, or is not scraped.',
      ...linksOf(objective, objectiveAlert.absent, links),
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

function linksOf(objective: Objective, alert: string, links: AlertLinks): Record<string, string> {
  const { dashboard, runbooks } = { ...defaultLinks, ...links }
  return {
    dashboard: `${dashboard}?var-slo=${encodeURIComponent(objective.name)}`,
    runbook: `${runbooks}#${alert.toLowerCase()}`,
  }
}

function percent(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(4))} %`
}
