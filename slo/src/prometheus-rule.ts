import type { AlertOptions } from './alerts.ts'
import type { Objective } from './objective.ts'
import { type RuleGroup, refuseTwins, ruleGroups } from './rules.ts'

/** A resource for the Prometheus operator. */
export interface PrometheusRule {
  apiVersion: 'monitoring.coreos.com/v1'
  kind: 'PrometheusRule'
  metadata: { name: string; labels?: Record<string, string> }
  spec: { groups: RuleGroup[] }
}

/**
 * The rules of objectives as `PrometheusRule` resources, one an objective: a thousand in one would be over the size that
 * Kubernetes takes. `labels` are those by which the operator's `ruleSelector` finds them.
 * @throws ShaketableError as `prometheusRules` does.
 */
export function prometheusRuleResources(
  objectives: readonly Objective[],
  options: { labels?: Record<string, string>; alerts?: AlertOptions } = {},
): PrometheusRule[] {
  const { labels, alerts = {} } = options
  refuseTwins(objectives)
  return objectives.map(objective => ({
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: { name: `slo-${objective.name}`, ...(labels ? { labels } : {}) },
    spec: { groups: ruleGroups(objective, alerts) },
  }))
}
