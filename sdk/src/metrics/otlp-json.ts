import type { Attributes } from '@opentelemetry/api'
import { toNanos } from '../clock.ts'
import { keyValues } from '../otlp/json-values.ts'
import type { Exemplar, HistogramPoint, Metric, NumberPoint, SummaryPoint } from './metric.ts'
import { originOf } from './otel-form.ts'
import type { Moments } from './otlp-protobuf.ts'

const cumulative = 2

/** `ExportMetricsServiceRequest` in OTLP's JSON: ids in hex, 64-bit numbers as strings. */
export function encodeJson(resource: Attributes, metrics: readonly Metric[], at: Moments): Buffer {
  const scopeMetrics = [...Map.groupBy(metrics, metric => metric.scope)].map(([scope, ofScope]) => ({
    scope: { name: scope.name, version: scope.version },
    metrics: ofScope.map(({ name, description, unit, data }) => {
      const dataPoints = data.points.map(point => pointMessage(point, at))
      const aggregationTemporality = data.type === 'sum' || data.type === 'histogram' ? cumulative : undefined
      const isMonotonic = data.type === 'sum' ? data.monotonic : undefined
      return { name, description, unit, [data.type]: { dataPoints, aggregationTemporality, isMonotonic } }
    }),
    schemaUrl: scope.schemaUrl,
  }))
  const resourceMetrics = [{ resource: { attributes: keyValues(resource) }, scopeMetrics }]
  return Buffer.from(JSON.stringify({ resourceMetrics }))
}

function pointMessage(point: NumberPoint | HistogramPoint | SummaryPoint, at: Moments): object {
  const head = {
    attributes: keyValues(point.attributes),
    startTimeUnixNano: String(toNanos(point.startMs ?? at.startMs)),
    timeUnixNano: String(toNanos(at.nowMs)),
  }
  if ('quantiles' in point) {
    const quantileValues = point.quantiles.map(({ quantile, value }) => ({
      quantile: double(quantile),
      value: double(value),
    }))
    return { ...head, count: String(point.count), sum: double(point.sum), quantileValues }
  }
  const exemplars = point.exemplars?.map(exemplarMessage)
  if ('counts' in point) {
    return {
      ...head,
      count: String(point.count),
      sum: point.sum === undefined ? undefined : double(point.sum),
      bucketCounts: point.counts.map(String),
      explicitBounds: point.boundaries,
      exemplars,
    }
  }
  return { ...head, asDouble: double(point.value), exemplars }
}

function exemplarMessage(exemplar: Exemplar): object {
  const { traceId, spanId, rest } = originOf(exemplar)
  const timeUnixNano = String(toNanos(exemplar.timestamp * 1000))
  return { timeUnixNano, asDouble: double(exemplar.value), traceId, spanId, filteredAttributes: keyValues(rest) }
}

/** JSON has no number for these; protobuf's JSON writes their names. */
function double(value: number): number | string {
  return Number.isFinite(value) ? value : String(value)
}
