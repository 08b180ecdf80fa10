import type { Attributes } from '@opentelemetry/api'
import type { Series } from '../metrics/histogram.ts'
import type { MadeFacts, RequestMetrics } from '../metrics/red.ts'
import type { ProtobufWriter } from '../otlp/protobuf.ts'
import { attributeBytes, type Description, writeAttributes } from '../traces/description.ts'
import { defined, RecentKinds } from './recent-kinds.ts'

/** What became of calls that differ in nothing but their URL, their connection, and how long they took. */
export class Outcome {
  readonly facts: MadeFacts
  readonly attributes: Attributes
  readonly series: Series
  readonly bytes: Uint8Array

  constructor(facts: MadeFacts, series: Series) {
    this.facts = facts
    this.attributes = defined({
      'http.request.method': facts.method,
      'server.address': facts.address,
      'server.port': facts.port,
      'http.response.status_code': facts.status,
      'error.type': facts.errorType,
    })
    this.series = series
    this.bytes = attributeBytes(this.attributes)
  }
}

export type Outcomes = RecentKinds<MadeFacts, Outcome>

export function outcomesOf(metrics: RequestMetrics): Outcomes {
  return new RecentKinds(
    (one, other) =>
      one.status === other.status &&
      one.port === other.port &&
      one.method === other.method &&
      one.errorType === other.errorType,
    facts => new Outcome(facts, metrics.madeSeries(facts)),
  )
}

/** What the span of a call says of it. */
export class MadeRequest implements Description {
  /** Once it has ended. */
  outcome: Outcome | undefined
  /** Of its connection, where that is known. */
  peer: Attributes | undefined
  readonly #asked: Attributes
  readonly #url: string

  constructor(method: string, url: string, host: string, port: number) {
    this.#url = url
    this.#asked = { 'http.request.method': method, 'server.address': host, 'server.port': port }
  }

  attributes(): Attributes {
    return { ...this.#asked, 'url.full': this.#url, ...this.peer, ...this.outcome?.attributes }
  }

  write(to: ProtobufWriter): void {
    if (this.outcome) to.raw(this.outcome.bytes)
    else writeAttributes(to, this.#asked)
    writeAttributes(to, { 'url.full': this.#url, ...this.peer })
  }
}
