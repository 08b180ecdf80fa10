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

/** What the collector tells of itself: 0.165 writes these counters without `_total`. */
export const collectorMetric = {
  accepted: 'otelcol_receiver_accepted_spans',
  refused: 'otelcol_receiver_refused_spans',
  queueSize: 'otelcol_exporter_queue_size',
  queueCapacity: 'otelcol_exporter_queue_capacity',
} as const

/** What the collector counts when it loses something. */
export const collectorLosses = ['spans', 'metric_points', 'log_records'].flatMap(items => [
  `otelcol_exporter_send_failed_${items}`,
  `otelcol_exporter_enqueue_failed_${items}`,
])

/** Labels of these metrics. */
export const collectorLabel = { exporter: 'exporter', receiver: 'receiver' } as const
