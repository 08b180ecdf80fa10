import type { OtlpOptions } from '../options.ts'
import type { SpanExporter } from '../traces/destinations.ts'
import type { Encoding } from '../traces/otlp-exporter.ts'
import { GrpcDestination, openGrpc } from '../traces/otlp-grpc.ts'
import type { Metric } from './metric.ts'
import type { MetricDestination } from './push.ts'

interface BaseModule {
  convertLegacyOtlpGrpcOptions(config: object, signal: string): object
  createOtlpGrpcExportDelegate(
    config: object,
    serializer: { serializeRequest(metrics: Metric[]): Uint8Array; deserializeResponse(answer: Uint8Array): object },
    component: string,
    helper: { name: string; countItems(metrics: Metric[]): number },
    meterProvider: undefined,
    service: string,
    path: string,
  ): SpanExporter
}

/** Our own message over the gRPC of OpenTelemetry's exporters, whose own message has no exemplars. */
export function openGrpcMetrics(options: OtlpOptions, encoding: Encoding<Metric>): MetricDestination {
  return openGrpc(options, (require, config) => {
    const base = require('@opentelemetry/otlp-grpc-exporter-base') as BaseModule
    const delegate = base.createOtlpGrpcExportDelegate(
      base.convertLegacyOtlpGrpcOptions(config, 'METRICS'),
      { serializeRequest: metrics => encoding.protobuf(metrics), deserializeResponse: () => ({}) },
      'otlp_grpc_metric_exporter',
      { name: 'metric_data_point', countItems: metrics => metrics.length },
      undefined,
      'MetricsExportService',
      '/opentelemetry.proto.collector.metrics.v1.MetricsService/Export',
    )
    return new GrpcDestination<Metric>(delegate, options)
  })
}
