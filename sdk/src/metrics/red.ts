import type { SpanContext } from '@opentelemetry/api'
import { httpDurationBoundaries, label, metric } from '../names.ts'
import { Tally } from './counter.ts'
import type { Family } from './exposition.ts'
import { Histogram, type Series } from './histogram.ts'

export interface ServedRequest {
  method: string
  /** The route template; undefined when no route matched. */
  route: string | undefined
  /** Undefined when no answer went out. */
  status: number | undefined
  scheme: 'http' | 'https'
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
  /** By scheme and method. */
  readonly #activeNow = { http: new Map<string, { value: number }>(), https: new Map<string, { value: number }>() }
  readonly #servedNow: Recent<ServedRequest>
  readonly #madeNow: Recent<MadeRequest>
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
    this.#servedNow = new Recent(
      ({ method, route = '', status, scheme, errorType = '' }) =>
        this.#server.series([method, route, text(status), scheme, errorType]),
      (one, other) =>
        one.status === other.status &&
        one.method === other.method &&
        one.scheme === other.scheme &&
        one.errorType === other.errorType,
    )
    this.#madeNow = new Recent(
      ({ method, address, port, status, errorType = '' }) =>
        this.#client.series([method, address, String(port), text(status), errorType]),
      (one, other) =>
        one.status === other.status &&
        one.port === other.port &&
        one.method === other.method &&
        one.errorType === other.errorType,
    )
    const activeLabels = [label.method, label.scheme]
    this.#active = new Tally('gauge', metric.httpServerActive, 'Number of active HTTP server requests.', activeLabels)
    const upgradesHelp = 'HTTP server requests that went on as another protocol, e.g. WebSocket.'
    this.#upgrades = new Tally('counter', metric.httpServerUpgrades, upgradesHelp, [label.protocol])
  }

  began(method: string, scheme: 'http' | 'https'): void {
    this.#activeOf(method, scheme).value++
  }

  /** `endMs` is since the epoch. */
  served(request: ServedRequest, seconds: number, exemplar: SpanContext | undefined, endMs: number): void {
    this.#activeOf(request.method, request.scheme).value--
    this.#servedNow.seriesOf(request.route ?? '', request).record(seconds, exemplar, endMs)
  }

  #activeOf(method: string, scheme: 'http' | 'https'): { value: number } {
    const known = this.#activeNow[scheme]
    let entry = known.get(method)
    if (!entry) {
      entry = this.#active.entry(method, scheme)
      known.set(method, entry)
    }
    return entry
  }

  upgraded(protocol: string): void {
    this.#upgrades.add(1, protocol)
  }

  made(request: MadeRequest, seconds: number, exemplar: SpanContext | undefined, endMs: number): void {
    this.#madeNow.seriesOf(request.address, request).record(seconds, exemplar, endMs)
  }

  families(): Family[] {
    return [this.#server.family(), this.#client.family(), this.#active.family(), this.#upgrades.family()]
  }
}

/** The series that were last used of each route or address: most requests are of few kinds, and need no key to be made. */
class Recent<Request> {
  readonly #find: (request: Request) => Series
  readonly #isSame: (one: Request, other: Request) => boolean
  readonly #last = new Map<string, { request: Request; series: Series }>()

  constructor(find: (request: Request) => Series, isSame: (one: Request, other: Request) => boolean) {
    this.#find = find
    this.#isSame = isSame
  }

  seriesOf(group: string, request: Request): Series {
    const last = this.#last.get(group)
    if (last && this.#isSame(last.request, request)) return last.series
    const series = this.#find(request)
    if (this.#last.size >= 1_000) this.#last.clear()
    this.#last.set(group, { request, series })
    return series
  }
}

function text(status: number | undefined): string {
  return status === undefined ? '' : String(status)
}
