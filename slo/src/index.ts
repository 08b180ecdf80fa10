export { type AlertOptions, type AlertRule, objectiveAlert } from './alerts.ts'
export {
  type Budget,
  type BurnRatePolicy,
  burnRateFactor,
  burnRatePolicies,
  burnRateThreshold,
  errorBudget,
  minimumBadEvents,
  parsePolicy,
  policiesFor,
  type Severity,
  timeToFire,
} from './burn-rate.ts'
export { type Counters, countGood } from './count-good.ts'
export { inOrder, type Path, parseDocuments, refused, SourceDocument } from './document.ts'
export { exitCode, formatProblem, InvalidInput, type Place, type Problem, ShaketableError } from './error.ts'
export { type AlertTransition, type BurnRateEvaluator, createBurnRateEvaluator } from './evaluator.ts'
export { explain } from './explain.ts'
export { readSamples, type Sample } from './exposition.ts'
export { type GrafanaAlerts, type GrafanaAlertsOptions, grafanaAlerts } from './grafana-alerts.ts'
export { type Imported, type ImportOptions, importObjectives } from './import.ts'
export { k6Metric, k6Module, k6Thresholds } from './k6.ts'
export { nearest, suggestion } from './nearest.ts'
export type {
  Indicator,
  MeasuredIndicator,
  Objective,
  Predicate,
  PrometheusIndicator,
  Selector,
  SemanticIndicator,
  Slices,
} from './objective.ts'
export { collectOpenSlo, type OpenSlo, readObjectiveFiles, readObjectives } from './openslo.ts'
export { nameSchema, openSloKinds, openSloVersion } from './openslo-schema.ts'
export { type PrometheusRule, prometheusRuleResources } from './prometheus-rule.ts'
export { promDuration } from './promql.ts'
export { prometheusRules, type RecordingRule, type RuleGroup, type RulesFile } from './rules.ts'
export { promtoolTests, type RuleTest, type RuleTestsFile } from './rules-tests.ts'
export { type Signal, type SignalShape, signalLabels, signals } from './signals.ts'
export { toYaml } from './to-yaml.ts'
export { type TrafficOptions, trafficWarnings } from './traffic.ts'
export { writeOpenSlo } from './write-openslo.ts'
export { expecting, seen } from './yaml-issues.ts'
export {
  duration,
  formatDuration,
  formatPercentage,
  parseDuration,
  parseWindow,
  percentage,
  rate,
} from './yaml-values.ts'
