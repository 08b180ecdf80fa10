import type { Place } from './error.ts'

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
  /** The rolling window that the error budget covers, in ms. */
  windowMs: number
  indicator: Indicator
  /** Labels of the document, passed on to alerts. */
  labels: Record<string, string>
  place: Place
}

export type Indicator = SemanticIndicator | PrometheusIndicator

/**
 * `metricSource.type: shaketable`: good and total requests in the SDK's own terms. The selector stands once, on `total`;
 * `good` adds only the predicate, so that both always count the same requests.
 */
export interface SemanticIndicator {
  type: 'shaketable'
  selector: Selector
  good: Predicate
}

/** Which requests count. An absent field matches all. */
export interface Selector {
  signal: 'http-server' | 'http-client'
  service: string
  /** HTTP method in capitals. */
  method: string | undefined
  /** The route template, `http.route`, e.g. `/orders/:id`. */
  route: string | undefined
}

/** Which of the counted requests are good: every given condition holds. At least one is given. */
export interface Predicate {
  /** e.g. `{ below: 500 }` for `status: "<500"`. A request without a status (no answer) is never good. */
  status: { below: number } | undefined
  /** Latency at or under this is good; a bucket boundary of the metric, in seconds. */
  underSeconds: number | undefined
}

/** `metricSource.type: prometheus`: raw queries, usable where a Prometheus is attached. */
export interface PrometheusIndicator {
  type: 'prometheus'
  goodQuery: string | undefined
  badQuery: string | undefined
  totalQuery: string
}
