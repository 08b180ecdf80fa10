import type { SeriesPoint } from '../report/model.ts'
import type { Observations, Span } from './observations.ts'
import { quantile } from './statistics.ts'
import { blocksOf, type Event } from './tally.ts'

const binMs = 500

/** What the plots show: the samples in bins of 500 ms by their intended start, from the first phase's start. */
export function seriesOf(seen: Observations, span: Span, events: ReadonlyMap<string, Event[]>): SeriesPoint[] {
  const bins: { latencies: number[]; errors: number }[] = Array.from(
    { length: Math.ceil((span.end - span.start) / binMs) },
    () => ({ latencies: [], errors: 0 }),
  )
  for (const sample of seen.samples) {
    const bin = bins[Math.floor((sample.at - span.start) / binMs)]
    if (!bin) continue
    bin.latencies.push(sample.latencyMs)
    if (!sample.ok) bin.errors++
  }
  const burns = seen.experiment.objectives.map(({ name, target }) => ({
    name,
    target,
    blocks: blocksOf(events.get(name) ?? [], span, binMs),
  }))
  return bins.map(({ latencies, errors }, index) => {
    latencies.sort((a, b) => a - b)
    return {
      atMs: index * binMs,
      widthMs: binMs,
      requests: latencies.length,
      errors,
      p50Ms: quantile(latencies, 0.5),
      p90Ms: quantile(latencies, 0.9),
      p99Ms: quantile(latencies, 0.99),
      burn: Object.fromEntries(
        burns.map(({ name, target, blocks }) => {
          const { good, total } = blocks[index] ?? { good: 0, total: 0 }
          return [name, total === 0 ? 0 : (total - good) / total / (1 - target)]
        }),
      ),
    }
  })
}
