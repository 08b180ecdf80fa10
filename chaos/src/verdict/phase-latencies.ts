import type { LoadSample } from '../load/load.ts'
import type { EffectReport, PhaseLoadReport } from '../report/model.ts'
import type { Observations, Span } from './observations.ts'
import { differenceInterval, quantileEstimate, superiority } from './quantiles.ts'
import { clusteredInterval } from './statistics.ts'
import { blockLengthOf, within } from './tally.ts'

const names = ['baseline', 'fault', 'recovery'] as const

/** What the load saw of each journey in each phase, with intervals. */
export function phaseLoads(seen: Observations): PhaseLoadReport[] {
  return seen.load.flatMap(({ journey }) =>
    names.flatMap(phase => {
      const span = seen.phases[phase]
      return span ? [phaseLoad(journey, phase, span, samplesOf(seen, journey, span))] : []
    }),
  )
}

const samplesOf = ({ samples }: Observations, journey: string, span: Span): LoadSample[] =>
  samples
    .filter(sample => sample.journey === journey)
    .filter(within(span))
    .sort((a, b) => a.at - b.at)

function phaseLoad(
  journey: string,
  phase: PhaseLoadReport['phase'],
  span: Span,
  samples: readonly LoadSample[],
): PhaseLoadReport {
  const blockMs = blockLengthOf([span])
  const timed = samples.map(({ at, latencyMs, ok }) => ({
    block: Math.floor((at - span.start) / blockMs),
    latencyMs,
    ok,
  }))
  const blocks = [...Map.groupBy(timed, each => each.block).values()].map(all => ({
    good: all.filter(each => each.ok).length,
    total: all.length,
  }))
  const failed = samples.filter(({ ok }) => !ok).length
  const [low, high] = clusteredInterval([blocks])
  return {
    journey,
    phase,
    requests: samples.length,
    failedRatio: samples.length === 0 ? 0 : failed / samples.length,
    failedInterval: [1 - high, 1 - low],
    p50: quantileEstimate(timed, 0.5),
    p90: quantileEstimate(timed, 0.9),
    p99: quantileEstimate(timed, 0.99),
  }
}

/** What the fault did to each journey, against the baseline of the same run. */
export function effectsOf(seen: Observations, loads: readonly PhaseLoadReport[]): EffectReport[] {
  const { baseline, fault } = seen.phases
  if (!fault) return []
  return seen.load.flatMap(({ journey }) => {
    const [before, during] = (['baseline', 'fault'] as const).map(phase =>
      loads.find(each => each.journey === journey && each.phase === phase),
    )
    if (!before?.p50 || !during?.p50) return []
    const latencies = (span: Span) => samplesOf(seen, journey, span).map(({ latencyMs }) => latencyMs)
    return [
      {
        journey,
        failedRatio: during.failedRatio - before.failedRatio,
        failedInterval: differenceInterval(
          { value: during.failedRatio, interval: during.failedInterval },
          { value: before.failedRatio, interval: before.failedInterval },
        ),
        p50Ms: during.p50.ms - before.p50.ms,
        p50Interval: differenceInterval(valued(during.p50), valued(before.p50)),
        slower: superiority(latencies(fault), latencies(baseline)),
      },
    ]
  })
}

export function valued({ ms, interval }: NonNullable<PhaseLoadReport['p50']>) {
  return { value: ms, interval }
}
