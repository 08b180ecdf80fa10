import type { SpanContext } from '@opentelemetry/api'
import { httpDurationBoundaries, label, metric } from '../names.ts'
import { Tally } from './counter.ts'
import type { Family } from './exposition.ts'
import { Histogram } from './histogram.ts'

export interface ServedRequest {
  method: string
  /** The route template; undefined when no route matched. */
  route: string | undefined
  /** Undefined when no answer went out. */
  status: number | undefined
  scheme: string
  errorType: string | undefined
}

export interface MadeRequest {
  method: string
  address: string
  port: number
  status: number | undefined
  errorType: string | undefined
}

/** Rate, errors and duration of the requests that the service serves and makes. */
export class RequestMetrics {
  readonly #server: Histogram
  readonly #client: Histogram
  readonly #active: Tally
  readonly #upgrades: Tally

  constructor(maxSeries: number) {
    this.#server = new Histogram(
      metric.httpServerDuration,
      'Duration of HTTP server requests.',
      [label.method, label.route, label.status, label.scheme, label.errorType],
      httpDurationBoundaries,
      maxSeries,
    )
    this.#client = new Histogram(
      metric.httpClientDuration,
      'Duration of HTTP client requests.',
      [label.method, label.serverAddress, label.serverPort, label.status, label.errorType],
      httpDurationBoundaries,
      maxSeries,
    )
    const activeLabels = [label.method, label.scheme]
    this.#active = new Tally('gauge', metric.httpServerActive, 'Number of active HTTP server requests.', activeLabels)
    const upgradesHelp = 'HTTP server requests that went on as another protocol, e.g. WebSocket.'
    this.#upgrades = new Tally('counter', metric.httpServerUpgrades, upgradesHelp, [label.protocol])
  }

  began(method: string, scheme: string): void {
    this.#active.add(1, method, scheme)
  }

  served(request: ServedRequest, seconds: number, exemplar: SpanContext | undefined): void {
    this.#active.add(-1, request.method, request.scheme)
    const { method, route = '', status, scheme, errorType = '' } = request
    this.#server.series([method, route, text(status), scheme, errorType]).record(seconds, exemplar)
  }

  upgraded(protocol: string): void {
    this.#upgrades.add(1, protocol)
  }

  made(request: MadeRequest, seconds: number, exemplar: SpanContext | undefined): void {
    const { method, address, port, status, errorType = '' } = request
    this.#client.series([method, address, String(port), text(status), errorType]).record(seconds, exemplar)
  }

  families(): Family[] {
    return [this.#server.family(), this.#client.family(), this.#active.family(), this.#upgrades.family()]
  }
}

function text(status: number | undefined): string {
  return status === undefined ? '' : String(status)
}
