/** What the gateway's `span_metrics` connector makes of spans, as Prometheus names it. Durations are in seconds. */
export const spanMetric = {
  calls: 'traces_span_metrics_calls_total',
  duration: 'traces_span_metrics_duration_seconds',
} as const

/** Labels of the span metrics. */
export const spanLabel = {
  service: 'service_name',
  span: 'span_name',
  kind: 'span_kind',
  status: 'status_code',
} as const

/** What the collector tells of itself. */
export const collectorMetric = {
  accepted: 'otelcol_receiver_accepted_spans_total',
  refused: 'otelcol_receiver_refused_spans_total',
  sent: 'otelcol_exporter_sent_spans_total',
  sendFailed: 'otelcol_exporter_send_failed_spans_total',
  queueSize: 'otelcol_exporter_queue_size',
  queueCapacity: 'otelcol_exporter_queue_capacity',
  memory: 'otelcol_process_memory_rss_bytes',
} as const

/** Labels of these metrics. */
export const collectorLabel = { exporter: 'exporter', receiver: 'receiver' } as const
