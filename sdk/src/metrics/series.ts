/** Series of one metric; beyond it, everything new is counted in one overflow series, as OpenTelemetry does. */
export const maxSeries = 2_000

export const overflowLabels = { otel_metric_overflow: 'true' }
