import { httpDurationBoundaries, label, metric } from '../names.ts'
import { Tally } from './counter.ts'
import type { Family } from './exposition.ts'
import { Histogram, type Series } from './histogram.ts'

/** What the metrics tell apart of the requests that the service serves. */
export interface ServedFacts {
  method: string
  /** The route template; undefined when no route matched. */
  route: string | undefined
  /** Undefined when no answer went out. */
  status: number | undefined
  scheme: 'http' | 'https'
  errorType: string | undefined
}

/** The same of those that it makes. */
export interface MadeFacts {
  method: string
  address: string
  port: number
  status: number | undefined
  errorType: string | undefined
}

/** Where the requests of one kind are counted. */
export interface ServedSeries {
  /** In flight, of the same method and scheme. */
  active: { value: number }
  duration: Series
}

/** Rate, errors and duration of the requests that the service serves and makes. */
export class RequestMetrics {
  readonly #server: Histogram
  readonly #client: Histogram
  readonly #active: Tally
  /** By scheme and method. */
  readonly #activeNow = { http: new Map<string, { value: number }>(), https: new Map<string, { value: number }>() }
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

  began(method: string, scheme: 'http' | 'https'): void {
    this.#activeOf(method, scheme).value++
  }

  servedSeries({ method, route = '', status, scheme, errorType = '' }: ServedFacts): ServedSeries {
    const duration = this.#server.series([method, route, text(status), scheme, errorType])
    return { active: this.#activeOf(method, scheme), duration }
  }

  madeSeries({ method, address, port, status, errorType = '' }: MadeFacts): Series {
    return this.#client.series([method, address, String(port), text(status), errorType])
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

  families(): Family[] {
    return [this.#server.family(), this.#client.family(), this.#active.family(), this.#upgrades.family()]
  }
}

function text(status: number | undefined): string {
  return status === undefined ? '' : String(status)
}
