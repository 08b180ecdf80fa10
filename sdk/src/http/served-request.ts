import type { Attributes } from '@opentelemetry/api'
import type { AccessLog, AnswerParts } from '../logs/access-log.ts'
import type { RequestMetrics, ServedFacts, ServedSeries } from '../metrics/red.ts'
import type { ProtobufWriter } from '../otlp/protobuf.ts'
import type { Redaction } from '../redaction.ts'
import { attributeBytes, type Description, writeAttributes } from '../traces/description.ts'
import type { Caller } from './caller.ts'
import { defined, RecentKinds } from './recent-kinds.ts'

/** How requests were answered that differ in nothing but who asked, for which path, and how long it took. */
export class Answer {
  readonly facts: ServedFacts
  readonly spanName: string
  readonly attributes: Attributes
  readonly bytes: Uint8Array
  readonly series: ServedSeries
  readonly parts: AnswerParts | undefined

  constructor(facts: ServedFacts, series: ServedSeries, parts: AnswerParts | undefined) {
    const { method, route, status, errorType } = facts
    const verb = method === '_OTHER' ? 'HTTP' : method
    this.facts = facts
    this.spanName = route === undefined ? verb : `${verb} ${route}`
    this.attributes = defined({ 'http.route': route, 'http.response.status_code': status, 'error.type': errorType })
    this.bytes = attributeBytes({ 'http.request.method': method, ...this.attributes })
    this.series = series
    this.parts = parts
  }
}

export function answersOf(metrics: RequestMetrics, accessLog: AccessLog | undefined): RecentKinds<ServedFacts, Answer> {
  return new RecentKinds(
    (one, other) =>
      one.status === other.status &&
      one.method === other.method &&
      one.scheme === other.scheme &&
      one.errorType === other.errorType,
    facts => new Answer(facts, metrics.servedSeries(facts), accessLog?.partsOf(facts)),
  )
}

export interface Asked {
  method: string
  /** The method as it came. */
  verb: string | undefined
  path: string
  /** As it came. */
  query: string | undefined
  agent: string | undefined
}

/** What the span of a request says of it. */
export class ServedRequest implements Description {
  /** Once it is answered. */
  answer: Answer | undefined
  readonly #caller: Caller
  readonly #asked: Asked
  readonly #redaction: Redaction

  constructor(caller: Caller, asked: Asked, redaction: Redaction) {
    this.#caller = caller
    this.#asked = asked
    this.#redaction = redaction
  }

  attributes(): Attributes {
    const { method } = this.#asked
    return { 'http.request.method': method, ...this.#caller.attributes, ...this.#own(), ...this.answer?.attributes }
  }

  write(to: ProtobufWriter): void {
    if (this.answer) to.raw(this.answer.bytes)
    else writeAttributes(to, { 'http.request.method': this.#asked.method })
    to.raw(this.#caller.bytes)
    writeAttributes(to, this.#own())
  }

  /** What it does not have in common with others. */
  #own(): Attributes {
    const { method, verb, path, query, agent } = this.#asked
    const own: Attributes = { 'url.path': path }
    if (query !== undefined) own['url.query'] = this.#redaction.query(query)
    if (agent !== undefined) own['user_agent.original'] = agent
    if (method === '_OTHER') own['http.request.method_original'] = verb
    return own
  }
}
