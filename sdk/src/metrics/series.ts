/** OpenTelemetry's default: beyond it, everything new is counted in one overflow series. */
export const defaultMaxSeries = 2_000

export const overflowLabel = 'otel_metric_overflow'

export const overflowLabels = { [overflowLabel]: 'true' }
