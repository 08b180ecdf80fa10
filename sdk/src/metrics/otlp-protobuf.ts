import type { Attributes } from '@opentelemetry/api'
import { toNanos } from '../clock.ts'
import type { ProtobufWriter } from '../otlp/protobuf.ts'
import { attributes, encodeOfResource } from '../otlp/protobuf-message.ts'
import type { Exemplar, Metric } from './metric.ts'
import { originOf } from './otel-form.ts'

const cumulative = 2

/** `ExportMetricsServiceRequest` of opentelemetry-proto, binary. */
export function encodeProtobuf(resource: Attributes, metrics: readonly Metric[], at: Moments): Buffer {
  return encodeOfResource(resource, metrics, (to, metric) => writeMetric(to, metric, at))
}

/** When it was collected, and since when what knows no better is counted; in ms since the epoch. */
export interface Moments {
  startMs: number
  nowMs: number
}

const field = { gauge: 5, sum: 7, histogram: 9, summary: 11 } as const

function writeMetric(to: ProtobufWriter, { name, description, unit, data }: Metric, at: Moments): void {
  const metric = to.open(2)
  to.string(1, name)
  if (description) to.string(2, description)
  if (unit) to.string(3, unit)
  const message = to.open(field[data.type])
  for (const point of data.points) {
    const open = to.open(1)
    attributes(to, data.type === 'histogram' ? 9 : 7, point.attributes)
    to.fixed64(2, toNanos(point.startMs ?? at.startMs))
    to.fixed64(3, toNanos(at.nowMs))
    if ('quantiles' in point) {
      to.fixed64(4, BigInt(point.count))
      to.double(5, point.sum)
      for (const { quantile, value } of point.quantiles) {
        const one = to.open(6)
        to.double(1, quantile)
        to.double(2, value)
        to.close(one)
      }
    } else if ('counts' in point) {
      to.fixed64(4, BigInt(point.count))
      if (point.sum !== undefined) to.double(5, point.sum)
      to.packedFixed64(6, point.counts)
      to.packedDoubles(7, point.boundaries)
      writeExemplars(to, 8, point.exemplars)
    } else {
      to.double(4, point.value)
      writeExemplars(to, 5, point.exemplars)
    }
    to.close(open)
  }
  if (data.type === 'sum' || data.type === 'histogram') to.unsigned(2, cumulative)
  if (data.type === 'sum' && data.monotonic) to.unsigned(3, 1)
  to.close(message)
  to.close(metric)
}

function writeExemplars(to: ProtobufWriter, field: number, exemplars: readonly Exemplar[] = []): void {
  for (const exemplar of exemplars) {
    const { traceId, spanId, rest } = originOf(exemplar)
    const message = to.open(field)
    to.fixed64(2, toNanos(exemplar.timestamp * 1000))
    to.double(3, exemplar.value)
    if (spanId) to.hex(4, spanId)
    if (traceId) to.hex(5, traceId)
    attributes(to, 7, rest)
    to.close(message)
  }
}
