import type { Family, Sample } from './exposition.ts'

/** OpenTelemetry's default: beyond it, everything new is counted in one overflow series. */
export const defaultMaxSeries = 2_000

export const overflowLabel = 'otel_metric_overflow'

export const overflowLabels = { [overflowLabel]: 'true' }

/** One combination of label values with all its samples: the buckets of a histogram have it in common. */
export interface LabelledSeries {
  labels: Record<string, string | number>
  samples: Sample[]
}

export function seriesOf({ type, samples }: Family): LabelledSeries[] {
  const within = type === 'histogram' ? 'le' : type === 'summary' ? 'quantile' : undefined
  const all = new Map<string, LabelledSeries>()
  for (const sample of samples) {
    let labels = sample.labels
    if (within !== undefined && within in labels) {
      labels = { ...labels }
      delete labels[within]
    }
    const key = JSON.stringify(labels)
    const found = all.get(key)
    if (found) found.samples.push(sample)
    else all.set(key, { labels, samples: [sample] })
  }
  return [...all.values()]
}
