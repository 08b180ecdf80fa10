import type { Attributes } from '@opentelemetry/api'
import type { Notice } from '../notice.ts'
import type { Family, Sample } from './exposition.ts'
import type { HistogramPoint, Metric } from './metric.ts'
import { labelName, prometheusName } from './prometheus-name.ts'

type Labels = Record<string, string>

/** The Meter API's metrics as `/metrics` shows them. Of two types under one name the first stays, and that is said. */
export function familiesOfMetrics(metrics: readonly Metric[], notice: Notice): Family[] {
  const families = new Map<string, Family>()
  for (const metric of metrics) {
    const type = typeOf(metric)
    const name = prometheusName(metric.name, metric.unit, type)
    let family = families.get(name)
    if (!family) {
      family = { name, help: metric.description, type, samples: [], measured: [] }
      families.set(name, family)
    } else if (family.type !== type) {
      notice(`the metric ${name} is a ${family.type} and also a ${type} (of ${metric.scope.name}), which is left out`)
      continue
    }
    family.measured!.push(metric)
    for (const sample of samplesOf(name, metric)) family.samples.push(sample)
  }
  return [...families.values()]
}

function typeOf({ data }: Metric): 'counter' | 'gauge' | 'histogram' {
  if (data.type === 'histogram') return 'histogram'
  return data.type === 'sum' && data.monotonic ? 'counter' : 'gauge'
}

function samplesOf(name: string, { data, scope }: Metric): Sample[] {
  const scopeLabels: Labels = { otel_scope_name: scope.name }
  if (scope.version) scopeLabels.otel_scope_version = scope.version
  if (scope.schemaUrl) scopeLabels.otel_scope_schema_url = scope.schemaUrl
  const labels = (attributes: Attributes) => ({ ...labelsOf(attributes), ...scopeLabels })
  if (data.type === 'histogram') return data.points.flatMap(point => buckets(name, labels(point.attributes), point))
  if (data.type === 'summary') return []
  return data.points.map(({ attributes, value }) => ({ name, labels: labels(attributes), value }))
}

function buckets(name: string, labels: Labels, { boundaries, counts, count, sum }: HistogramPoint): Sample[] {
  let cumulated = 0
  const samples: Sample[] = counts.map((inBucket, at) => {
    cumulated += inBucket
    const le = at < boundaries.length ? String(boundaries[at]) : '+Inf'
    return { name: `${name}_bucket`, labels: { ...labels, le }, value: cumulated }
  })
  if (sum !== undefined) samples.push({ name: `${name}_sum`, labels, value: sum })
  samples.push({ name: `${name}_count`, labels, value: count })
  return samples
}

/** Where two attributes have one label name, their values stand in it together, as OpenTelemetry says. */
function labelsOf(attributes: Attributes): Labels {
  const labels: Labels = {}
  for (const key of Object.keys(attributes).sort()) {
    const value = attributes[key]
    if (value === undefined) continue
    const text = typeof value === 'string' ? value : JSON.stringify(value)
    const name = labelName(key)
    labels[name] = name in labels ? `${labels[name]};${text}` : text
  }
  return labels
}
