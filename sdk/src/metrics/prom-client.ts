import type { Family, Sample } from './exposition.ts'

/** What any copy and version of prom-client's Registry can do. */
export interface PromRegistry {
  getMetricsAsJSON(): Promise<PromMetric[]> | PromMetric[]
}

interface PromMetric {
  name: string
  help: string
  type: Family['type'] | string
  values: {
    metricName?: string
    labels?: Record<string, string | number | undefined>
    value: number
    exemplar?: { labelSet?: Record<string, string>; value?: number; timestamp?: number } | null
  }[]
}

const types = new Set(['counter', 'gauge', 'histogram', 'summary'])

/** A prom-client registry's metrics as families. */
export async function familiesOf(registry: PromRegistry): Promise<Family[]> {
  const metrics = await registry.getMetricsAsJSON()
  return metrics.map(({ name, help, type, values }) => ({
    name,
    help,
    type: types.has(type) ? (type as Family['type']) : 'unknown',
    samples: values.map((value): Sample => {
      const labels = Object.fromEntries(
        Object.entries(value.labels ?? {}).flatMap(([key, text]) => (text === undefined ? [] : [[key, text]])),
      )
      const sample: Sample = { name: value.metricName ?? name, labels, value: value.value }
      const { labelSet, value: seen, timestamp } = value.exemplar ?? {}
      if (labelSet && seen !== undefined) {
        sample.exemplar = { labels: labelSet, value: seen, timestamp: timestamp ?? Date.now() / 1000 }
      }
      return sample
    }),
  }))
}
