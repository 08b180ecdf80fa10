import type { Attributes } from '@opentelemetry/api'
import { logMember, otelAttribute, otelMetric } from '../names.ts'
import { httpScope } from '../traces/tracer.ts'
import type { Family } from './exposition.ts'
import type { Exemplar, HistogramPoint, Metric, NumberPoint, SummaryPoint } from './metric.ts'
import { type LabelledSeries, overflowLabel, seriesOf } from './series.ts'

const promClient = { name: 'prom-client' }

/**
 * What `/metrics` shows, as OTLP sends it: our own metrics under OpenTelemetry's names, prom-client's under the names that
 * they have, so that one that comes back to Prometheus over OTLP is called the same.
 */
export function metricsOf(families: readonly Family[]): Metric[] {
  return families.flatMap(family => family.measured ?? [bridged(family)])
}

function bridged(family: Family): Metric {
  const own = otelMetric[family.name]
  const all = seriesOf(family)
  const head = {
    name: own?.name ?? family.name,
    description: family.help,
    unit: own?.unit ?? unitOf(family.name),
    scope: own || family.own ? httpScope : promClient,
  }
  const attributes = (series: LabelledSeries) => attributesOf(series, own !== undefined)
  if (family.type === 'histogram') {
    return {
      ...head,
      data: { type: 'histogram', points: all.map(one => histogramPoint(family.name, one, attributes(one))) },
    }
  }
  if (family.type === 'summary') {
    return {
      ...head,
      data: { type: 'summary', points: all.map(one => summaryPoint(family.name, one, attributes(one))) },
    }
  }
  const points = all.map((one): NumberPoint => {
    const exemplars = exemplarsOf(one)
    return { attributes: attributes(one), value: one.samples[0]!.value, ...(exemplars && { exemplars }) }
  })
  if (family.type === 'counter') return { ...head, data: { type: 'sum', monotonic: true, points } }
  return { ...head, data: own?.upDown ? { type: 'sum', monotonic: false, points } : { type: 'gauge', points } }
}

function unitOf(name: string): string {
  const plain = name.replace(/_total$/, '')
  if (plain.endsWith('_seconds')) return 's'
  return plain.endsWith('_bytes') ? 'By' : ''
}

const numeric = new Set(['http.response.status_code', 'server.port'])

function attributesOf({ labels }: LabelledSeries, own: boolean): Attributes {
  const attributes: Attributes = {}
  for (const [label, value] of Object.entries(labels)) {
    if (label === overflowLabel) attributes['otel.metric.overflow'] = true
    else if (!own) attributes[label] = String(value)
    else if (value !== '') {
      // Prometheus needs every label on every series; OpenTelemetry leaves out what does not apply.
      const name = otelAttribute[label] ?? label
      attributes[name] = numeric.has(name) ? Number(value) : value
    }
  }
  return attributes
}

/** Prometheus' buckets are cumulated, OpenTelemetry's are not. */
function histogramPoint(name: string, { samples, ...series }: LabelledSeries, attributes: Attributes): HistogramPoint {
  const buckets = samples
    .filter(sample => sample.name === `${name}_bucket`)
    .map(({ labels, value }) => ({ boundary: Number(String(labels.le).replace('+Inf', 'Infinity')), value }))
    .sort((a, b) => a.boundary - b.boundary)
  const count = samples.find(sample => sample.name === `${name}_count`)?.value ?? buckets.at(-1)?.value ?? 0
  if (buckets.at(-1)?.boundary !== Number.POSITIVE_INFINITY) {
    buckets.push({ boundary: Number.POSITIVE_INFINITY, value: count })
  }
  const exemplars = exemplarsOf({ samples, ...series })
  return {
    attributes,
    count,
    sum: samples.find(sample => sample.name === `${name}_sum`)?.value,
    boundaries: buckets.slice(0, -1).map(({ boundary }) => boundary),
    counts: buckets.map(({ value }, at) => value - (buckets[at - 1]?.value ?? 0)),
    ...(exemplars && { exemplars }),
  }
}

function summaryPoint(name: string, { samples }: LabelledSeries, attributes: Attributes): SummaryPoint {
  const value = (suffix: string) => samples.find(sample => sample.name === name + suffix)?.value ?? 0
  const quantiles = samples
    .filter(sample => sample.name === name && sample.labels.quantile !== undefined)
    .map(({ labels, value }) => ({ quantile: Number(labels.quantile), value }))
  return { attributes, count: value('_count'), sum: value('_sum'), quantiles }
}

function exemplarsOf({ samples }: LabelledSeries): Exemplar[] | undefined {
  const exemplars = samples.flatMap(({ exemplar }) => (exemplar ? [exemplar] : []))
  return exemplars.length > 0 ? exemplars : undefined
}

/** An exemplar's trace and span, where its labels name them, and the other labels. */
export function originOf({ labels }: Exemplar): { traceId?: string; spanId?: string; rest: Attributes } {
  const { [logMember.traceId]: traceId = '', [logMember.spanId]: spanId = '', ...rest } = labels
  const origin: { traceId?: string; spanId?: string; rest: Attributes } = { rest }
  if (/^[0-9a-f]{32}$/.test(traceId)) origin.traceId = traceId
  if (/^[0-9a-f]{16}$/.test(spanId)) origin.spanId = spanId
  return origin
}
