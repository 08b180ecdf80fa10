import type { Objective, PrometheusIndicator } from './objective.ts'
import { openSloVersion } from './openslo-schema.ts'
import { promDuration, semanticCounters } from './promql.ts'
import { refuseTwins } from './rules.ts'
import { toYaml } from './to-yaml.ts'
import { trafficAnnotation } from './traffic.ts'
import { formatRate } from './yaml-values.ts'

/**
 * Objectives as OpenSLO v1 of type `prometheus`, one document each, for tools that know no semantic indicators. Read again,
 * they give the same rules.
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_TWICE` for a name used twice.
 */
export function writeOpenSlo(objectives: readonly Objective[]): string {
  refuseTwins(objectives)
  return objectives.map(objective => toYaml(documentOf(objective))).join('---\n')
}

function documentOf(objective: Objective): object {
  const { name, title, description, service, labels, slices, traffic } = objective
  return {
    apiVersion: openSloVersion,
    kind: 'SLO',
    metadata: {
      name,
      ...(title === name ? {} : { displayName: title }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
      ...(traffic ? { annotations: { [trafficAnnotation]: formatRate(traffic.ratePerSecond) } } : {}),
    },
    spec: {
      ...(description === undefined ? {} : { description }),
      service,
      budgetingMethod: !slices ? 'Occurrences' : slices.target === undefined ? 'RatioTimeslices' : 'Timeslices',
      timeWindow: [timeWindow(objective)],
      objectives: [promise(objective)],
      indicator: { metadata: { name }, spec: sliSpec(objective) },
    },
  }
}

function timeWindow({ windowMs, calendar }: Objective): object {
  if (!calendar) return { duration: promDuration(windowMs), isRolling: true }
  const { months, ...start } = calendar
  return { duration: months === undefined ? promDuration(windowMs) : `${months}M`, isRolling: false, calendar: start }
}

function promise({ target, slices, indicator }: Objective): object {
  const compared = indicator.type === 'measured' && indicator.measure.by === 'threshold' ? indicator.measure : undefined
  return {
    ...(compared ? { op: compared.op, value: compared.value } : {}),
    target,
    ...(slices?.target === undefined ? {} : { timeSliceTarget: slices.target }),
    ...(slices ? { timeSliceWindow: promDuration(slices.windowMs) } : {}),
  }
}

function sliSpec({ indicator }: Objective): object {
  if (indicator.type === 'shaketable') {
    const { good, total } = semanticCounters(indicator)
    return { ratioMetric: { counter: true, good: metric(`sum(${good})`), total: metric(`sum(${total})`) } }
  }
  if (indicator.type === 'prometheus') return { ratioMetric: { counter: true, ...parts(indicator) } }
  const { measure } = indicator
  if (measure.by === 'threshold') return { thresholdMetric: metric(measure.query) }
  if (measure.by === 'ratio') return { ratioMetric: { rawType: measure.of, raw: metric(measure.query) } }
  return { ratioMetric: { counter: false, ...parts(measure) } }
}

function parts({ goodQuery, badQuery, totalQuery }: Omit<PrometheusIndicator, 'type'>): object {
  return {
    ...(goodQuery === undefined ? {} : { good: metric(goodQuery) }),
    ...(badQuery === undefined ? {} : { bad: metric(badQuery) }),
    total: metric(totalQuery),
  }
}

function metric(query: string): object {
  return { metricSource: { type: 'prometheus', spec: { query } } }
}
