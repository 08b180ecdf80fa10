import { createHash } from 'node:crypto'
import type { AlertRule } from './alerts.ts'
import type { RulesFile } from './rules.ts'

/** A file for Grafana's `provisioning/alerting` folder. */
export interface GrafanaAlerts {
  apiVersion: 1
  groups: { orgId: 1; name: string; folder: string; interval: string; rules: GrafanaAlertRule[] }[]
}

export interface GrafanaAlertRule {
  uid: string
  title: string
  condition: 'B'
  data: object[]
  noDataState: 'OK'
  execErrState: 'Error'
  for: string
  labels: Record<string, string>
  annotations: Record<string, string>
}

export interface GrafanaAlertsOptions {
  /** The uid of the Prometheus data source, in which the recording rules are evaluated. */
  datasource?: string
  folder?: string
}

/**
 * The alerts of a rules file as alert rules that Grafana evaluates itself. The recording rules stay with Prometheus. Nothing
 * in it has a `$`, which Grafana would take for a variable of its environment.
 */
export function grafanaAlerts(file: RulesFile, options: GrafanaAlertsOptions = {}): GrafanaAlerts {
  const { datasource = 'prometheus', folder = 'Shaketable' } = options
  const groups = file.groups.flatMap(({ name, rules }) => {
    const alerts = rules.flatMap(rule => ('alert' in rule ? [ruleOf(rule, datasource)] : []))
    return alerts.length === 0 ? [] : [{ orgId: 1 as const, name, folder, interval: '1m', rules: alerts }]
  })
  return { apiVersion: 1, groups }
}

function ruleOf(rule: AlertRule, datasource: string): GrafanaAlertRule {
  const { slo, window } = rule.labels
  const title = [rule.alert, slo, window].filter(part => part !== undefined).join(' ')
  return {
    uid: createHash('sha256').update(title).digest('hex').slice(0, 32),
    title,
    condition: 'B',
    data: [query(rule.expr, datasource), isThere],
    // An alert's query answers with nothing as long as all is well.
    noDataState: 'OK',
    execErrState: 'Error',
    for: rule.for ?? '0s',
    labels: rule.labels,
    annotations: annotationsOf(rule),
  }
}

function query(expr: string, datasourceUid: string): object {
  const relativeTimeRange = { from: 600, to: 0 }
  return { refId: 'A', relativeTimeRange, datasourceUid, model: { refId: 'A', expr, instant: true, range: false } }
}

/** Fires for every series that the query answers with, whatever its value: none of ours is negative. */
const isThere = {
  refId: 'B',
  datasourceUid: '__expr__',
  model: {
    refId: 'B',
    type: 'threshold',
    expression: 'A',
    conditions: [{ evaluator: { type: 'gt', params: [-1] } }],
  },
} as const

/** Grafana's templates cannot query. */
function annotationsOf({ annotations }: AlertRule): Record<string, string> {
  const kept = Object.entries(annotations).filter(([, text]) => !text.includes('query "'))
  return Object.fromEntries(kept.map(([name, text]) => [name, inGrafana(text)]))
}

function inGrafana(template: string): string {
  return template.replaceAll('$labels', '.Labels').replaceAll('$value', '.Values.A.Value')
}
