import type { Attributes } from '@opentelemetry/api'
import type { Scope } from '../resource.ts'

export interface Exemplar {
  labels: Record<string, string>
  value: number
  /** Seconds since the epoch. */
  timestamp: number
}

/** One metric under its OpenTelemetry name: what OTLP sends. All of it is cumulative. */
export interface Metric {
  name: string
  description: string
  unit: string
  scope: Scope
  data:
    | { type: 'gauge'; points: NumberPoint[] }
    | { type: 'sum'; monotonic: boolean; points: NumberPoint[] }
    | { type: 'histogram'; points: HistogramPoint[] }
    | { type: 'summary'; points: SummaryPoint[] }
}

interface Point {
  attributes: Attributes
  /** Since when it has been counted, in ms since the epoch; since the process began where that is not known. */
  startMs?: number
}

export interface NumberPoint extends Point {
  value: number
  exemplars?: Exemplar[]
}

export interface HistogramPoint extends Point {
  count: number
  sum: number | undefined
  boundaries: readonly number[]
  /** One more than there are boundaries; not cumulated. */
  counts: number[]
  exemplars?: Exemplar[]
}

export interface SummaryPoint extends Point {
  count: number
  sum: number
  quantiles: { quantile: number; value: number }[]
}
