import { nowMs } from '../clock.ts'
import type { Notice } from '../notice.ts'
import type { Options } from '../options.ts'
import { type Encoding, encoderOf, OtlpExporter } from '../otlp/http.ts'
import type { OtlpOptions } from '../otlp/options.ts'
import type { ServiceResource } from '../resource.ts'
import type { Family } from './exposition.ts'
import type { Metric } from './metric.ts'
import { metricsOf } from './otel-form.ts'
import { encodeJson } from './otlp-json.ts'
import { encodeProtobuf } from './otlp-protobuf.ts'
import { ConsoleMetrics, type MetricDestination, MetricPush } from './push.ts'

/** Begins to send the metrics where `OTEL_METRICS_EXPORTER` says. */
export async function openPush(
  { metricsOtlp, metricsPush }: Options,
  resource: ServiceResource,
  collect: () => Promise<Family[]>,
  notice: Notice,
): Promise<MetricPush> {
  const destination = metricsOtlp ? await openOtlp(metricsOtlp, encodingFor(resource)) : new ConsoleMetrics()
  return new MetricPush(destination, async () => metricsOf(await collect()), metricsPush, notice)
}

function encodingFor({ attributes }: ServiceResource): Encoding<Metric> {
  const moments = () => ({ startMs: performance.timeOrigin, nowMs: nowMs() })
  return {
    json: metrics => encodeJson(attributes, metrics, moments()),
    protobuf: metrics => encodeProtobuf(attributes, metrics, moments()),
  }
}

async function openOtlp(options: OtlpOptions, encoding: Encoding<Metric>): Promise<MetricDestination> {
  if (options.protocol !== 'grpc') return new OtlpExporter(options, encoderOf(options, encoding))
  const { openGrpcMetrics } = await import('./otlp-grpc.ts')
  return openGrpcMetrics(options, encoding)
}
