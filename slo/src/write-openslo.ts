import type { Objective } from './objective.ts'
import { openSloVersion } from './openslo-schema.ts'
import { promDuration, semanticCounters } from './promql.ts'
import { refuseTwins, toYaml } from './rules.ts'

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
  const { name, title, description, service, target, windowMs, labels } = objective
  return {
    apiVersion: openSloVersion,
    kind: 'SLO',
    metadata: {
      name,
      ...(title === name ? {} : { displayName: title }),
      ...(Object.keys(labels).length === 0 ? {} : { labels }),
    },
    spec: {
      ...(description === undefined ? {} : { description }),
      service,
      budgetingMethod: 'Occurrences',
      timeWindow: [{ duration: promDuration(windowMs), isRolling: true }],
      objectives: [{ target }],
      indicator: { metadata: { name }, spec: { ratioMetric: ratioMetric(objective) } },
    },
  }
}

function ratioMetric({ indicator }: Objective): object {
  if (indicator.type === 'shaketable') {
    const { good, total } = semanticCounters(indicator)
    return { counter: true, good: metric(`sum(${good})`), total: metric(`sum(${total})`) }
  }
  const { goodQuery, badQuery, totalQuery } = indicator
  return {
    counter: true,
    ...(goodQuery === undefined ? {} : { good: metric(goodQuery) }),
    ...(badQuery === undefined ? {} : { bad: metric(badQuery) }),
    total: metric(totalQuery),
  }
}

function metric(query: string): object {
  return { metricSource: { type: 'prometheus', spec: { query } } }
}
