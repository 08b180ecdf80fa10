import { exitCode, ShaketableError } from './error.ts'
import { readSamples, type Sample } from './exposition.ts'
import type { Objective, Predicate } from './objective.ts'
import { selections, signalLabels, signals } from './signals.ts'

/** Cumulative counts of events: they only grow, until the process that counts them starts anew. */
export interface Counters {
  good: number
  total: number
}

/**
 * What one instance's `/metrics` says of an objective: its good events and all of them, since the process began. The
 * exposition must be of the selector's own service: it does not name itself in it.
 *
 * @throws ShaketableError `SHAKETABLE_OBJECTIVE_UNMEASURABLE` for an objective of raw Prometheus queries, and where the
 * histogram has no bucket at the objective's threshold.
 */
export function countGood(metricsText: string, objective: Objective): Counters {
  if (objective.indicator.type !== 'shaketable') {
    throw unmeasurable(objective, 'its raw Prometheus queries need a Prometheus to answer them', undefined)
  }
  const { selector, good } = objective.indicator
  const histogram = signals[selector.signal].duration
  const selected = selections(selector)
  const goodName = good.underSeconds === undefined ? `${histogram}_count` : `${histogram}_bucket`
  const counters = { good: 0, total: 0 }
  let goodSeries = 0
  for (const sample of readSamples(metricsText, name => name === `${histogram}_count` || name === goodName)) {
    if (!Number.isFinite(sample.value) || selected.some(([label, value]) => sample.labels[label] !== value)) continue
    if (sample.name === `${histogram}_count`) counters.total += sample.value
    if (sample.name !== goodName) continue
    if (good.underSeconds !== undefined && Number(sample.labels.le) !== good.underSeconds) continue
    goodSeries += 1
    if (endedWell(sample, good)) counters.good += sample.value
  }
  if (counters.total > 0 && goodSeries === 0) {
    throw unmeasurable(
      objective,
      `${histogram} has no bucket at ${good.underSeconds} s`,
      'Use a boundary of the histogram as the threshold.',
    )
  }
  return counters
}

function endedWell({ labels }: Sample, good: Predicate): boolean {
  if (good.withoutError && labels[signalLabels.error]) return false
  if (good.status === undefined) return true
  const status = labels[signalLabels.status]
  return status !== undefined && /^[1-9]\d\d$/.test(status) && Number(status) < good.status.below
}

function unmeasurable(objective: Objective, why: string, hint: string | undefined): ShaketableError {
  return new ShaketableError('SHAKETABLE_OBJECTIVE_UNMEASURABLE', `Objective ${objective.name}: ${why}.`, {
    exitCode: exitCode.invalidInput,
    hint,
  })
}
