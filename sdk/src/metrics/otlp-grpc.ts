import type { OtlpOptions } from '../options.ts'
import type { Encoding } from '../traces/otlp-exporter.ts'
import { GrpcDestination } from '../traces/otlp-grpc.ts'
import type { Metric } from './metric.ts'
import type { MetricDestination } from './push.ts'

/** Metrics over gRPC, with the exemplars that OpenTelemetry's own message has not. */
export function openGrpcMetrics(options: OtlpOptions, encoding: Encoding<Metric>): MetricDestination {
  return new GrpcDestination<Metric>(options, 'metrics', encoding.protobuf)
}
