import { GrpcDestination } from '../otlp/grpc.ts'
import type { Encoding } from '../otlp/http.ts'
import type { OtlpOptions } from '../otlp/options.ts'
import type { Metric } from './metric.ts'
import type { MetricDestination } from './push.ts'

/** Metrics over gRPC, with the exemplars that OpenTelemetry's own message has not. */
export function openGrpcMetrics(options: OtlpOptions, encoding: Encoding<Metric>): MetricDestination {
  return new GrpcDestination<Metric>(options, 'metrics', encoding.protobuf)
}
