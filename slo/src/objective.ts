import type { Calendar } from './calendar.ts'
import type { Place } from './error.ts'
import type { SelectorField, Signal } from './signals.ts'

/** A service level objective as every use of it sees it: one OpenSLO v1 `SLO` document, read strictly. */
export interface Objective {
  /** `metadata.name`, e.g. `checkout-latency`. */
  name: string
  title: string
  description: string | undefined
  /** The service that the objective is about (`spec.service`). */
  service: string
  /** The ratio of good events that is promised, in (0, 1), e.g. 0.99. */
  target: number
  /** The window that the error budget covers, in ms; of a calendar's months the usual length. */
  windowMs: number
  /** Where the window's periods begin, if the calendar says so. Absent: it rolls. */
  calendar?: Calendar | undefined
  /** Absent: every event weighs the same (`Occurrences`). */
  slices?: Slices | undefined
  indicator: Indicator
  /** Labels of the document, passed on to alerts. */
  labels: Record<string, string>
  /** The events a second that its annotation `shaketable.dev/traffic` tells, and where. Absent: nobody said. */
  traffic?: { ratePerSecond: number; place: Place } | undefined
  place: Place
}

/**
 * Time is what is counted, in slices: `Timeslices` are good or bad as a whole, the error ratios of `RatioTimeslices` are
 * averaged. A slice without an event is not counted.
 */
export interface Slices {
  /** In ms. */
  windowMs: number
  /** The ratio of good events that makes a slice good, in (0, 1]. Absent: `RatioTimeslices`. */
  target: number | undefined
}

export type Indicator = SemanticIndicator | PrometheusIndicator | MeasuredIndicator

/**
 * `metricSource.type: shaketable`: good and total operations in the SDK's own terms. The selector stands once, on `total`;
 * `good` adds only the predicate, so that both always count the same operations.
 */
export interface SemanticIndicator {
  type: 'shaketable'
  selector: Selector
  good: Predicate
}

/** Which operations count. An absent field matches all. */
export interface Selector extends Partial<Record<SelectorField, string | undefined>> {
  signal: Signal
  service: string
  /** HTTP method in capitals, or the full name of an RPC's. */
  method: string | undefined
  /** The route template, `http.route`, e.g. `/orders/:id`. */
  route: string | undefined
}

/** Which of the counted operations are good: every given condition holds. At least one is given. */
export interface Predicate {
  /** e.g. `{ below: 500 }` for `status: "<500"`. A request without a status (no answer) is never good. */
  status: { below: number } | undefined
  /** Latency at or under this is good; a bucket boundary of the metric, in seconds. */
  underSeconds: number | undefined
  /** An operation with an `error.type` is bad. */
  withoutError?: true | undefined
}

/** `metricSource.type: prometheus`: raw queries for counters, usable where a Prometheus is attached. */
export interface PrometheusIndicator {
  type: 'prometheus'
  goodQuery: string | undefined
  badQuery: string | undefined
  totalQuery: string
}

/** A raw query that counts nothing: what it answers is measured anew at every evaluation, and each measurement is an event. */
export interface MeasuredIndicator {
  type: 'measured'
  measure: Measure
}

export type Measure =
  /** `thresholdMetric`: a value is good if it compares so with the objective's. */
  | { by: 'threshold'; query: string; op: Operator; value: number }
  /** `ratioMetric.raw`: a ready-made ratio. */
  | { by: 'ratio'; query: string; of: 'success' | 'failure' }
  /** `counter: false`: numbers that go up and down, of good or bad events and of all. */
  | { by: 'gauges'; goodQuery: string | undefined; badQuery: string | undefined; totalQuery: string }

export type Operator = 'lte' | 'gte' | 'lt' | 'gt'
