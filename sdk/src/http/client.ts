import http, { type ClientRequest, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import {
  type Context,
  propagation,
  SpanKind,
  SpanStatusCode,
  type TextMapPropagator,
  type TextMapSetter,
} from '@opentelemetry/api'
import { activeContext, contextOf, isUntraced } from '../context.ts'
import type { OpenCalls } from '../instrumentations/open-calls.ts'
import { callerBaggageKey } from '../names.ts'
import type { Notice } from '../notice.ts'
import { isPlainPath } from '../plain-path.ts'
import type { Redaction } from '../redaction.ts'
import type { RecordedSpan } from '../traces/span.ts'
import { httpScope, type SpanProvider } from '../traces/tracer.ts'
import { watchChannel } from './channel.ts'
import { MadeRequest, type Outcomes } from './made-request.ts'
import { hostAndPort, methodOf } from './method.ts'
import { type Message, type Observed, observe, observedOf } from './observed.ts'
import { defined } from './recent-kinds.ts'

export interface ClientObservation {
  provider: SpanProvider
  propagator: TextMapPropagator
  outcomes: Outcomes
  redaction: Redaction
  /** While faults are enabled: the name that outbound requests carry in their baggage. */
  caller: string | undefined
  /** Likewise: is told of what goes out over HTTP/2. */
  calls: OpenCalls | undefined
  notice: Notice
}

/** Where a call goes. */
interface Target {
  /** `url.full`, redacted. */
  url: string
  host: string
  port: number
}

function targetOf(url: URL, redaction: Redaction): Target {
  return { url: redaction.url(url), ...hostAndPort(url.host, url.protocol.slice(0, -1)) }
}

/**
 * A request that the service makes, from its first byte to the last one of the answer. It hangs on the request, so that it
 * lives no longer than that.
 */
class Call implements Observed {
  status: number | undefined
  readonly context: Context
  readonly span: RecordedSpan
  #open = true
  readonly #outcomes: Outcomes
  readonly #startedAt: number
  readonly #method: string
  readonly #host: string
  #port: number

  constructor(to: ClientObservation, context: Context, verb: string, target: Target) {
    const method = methodOf(verb)
    this.context = context
    this.#outcomes = to.outcomes
    this.#method = method
    this.#host = target.host
    this.#port = target.port
    const name = method === '_OTHER' ? 'HTTP' : method
    const { url, host, port } = target
    const describe = () => new MadeRequest(method, url, host, port)
    const span = to.provider.start(httpScope, name, SpanKind.CLIENT, context, undefined, describe)
    this.span = span
    this.#startedAt = span.startedAt ?? performance.now()
  }

  /** Of node:http's request and its answer; no other message hangs on a call. */
  event(message: Message, name: string | symbol, argument: unknown): void {
    if (message instanceof http.ClientRequest) {
      if (name === 'upgrade' || name === 'connect') {
        // The connection is the app's from here on: for HTTP this was the whole answer.
        this.status = (argument as IncomingMessage).statusCode
        this.end()
      } else if (name === 'close' && this.status === undefined) this.end(new Error('socket hang up'))
    } else if (name === 'error') this.end(argument)
    else if (name === 'end' || name === 'close') this.end()
  }

  /** Writes the trace context and baggage of this call. */
  inject(to: ClientObservation, set: (name: string, value: string) => void): void {
    let own = contextOf(this.span, this.context)
    if (to.caller !== undefined) {
      const baggage = propagation.getBaggage(own) ?? propagation.createBaggage()
      own = propagation.setBaggage(own, baggage.setEntry(callerBaggageKey, { value: to.caller }))
    }
    const setter: TextMapSetter<undefined> = { set: (_carrier, name, value) => set(name, value) }
    to.propagator.inject(own, undefined, setter)
  }

  /** The answer of node:http's request, over the connection that is known only now. */
  answered(response: IncomingMessage, socket: Socket | null): void {
    this.status = response.statusCode
    const { remoteAddress: address, remotePort: port } = socket ?? {}
    if (port !== undefined) this.#port = port
    if (!this.span.isSampled()) return
    const peer = defined({
      'network.peer.address': address,
      'network.peer.port': port,
      'network.protocol.version': response.httpVersion,
    })
    const { description } = this.span
    if (description instanceof MadeRequest) description.peer = peer
    else this.span.describeAll(peer)
  }

  end(error?: unknown): void {
    if (!this.#open) return
    this.#open = false
    const { status } = this
    const failed = status !== undefined && status >= 400 ? String(status) : undefined
    const errorType = error === undefined ? failed : errorTypeOf(error)
    const span = this.span
    const facts = { method: this.#method, address: this.#host, port: this.#port, status, errorType }
    const outcome = this.#outcomes.of(facts.address, facts)
    if (span.isSampled()) {
      const { description } = span
      if (description instanceof MadeRequest) description.outcome = outcome
      else span.describeAll(outcome.attributes)
      if (errorType !== undefined) {
        if (error instanceof Error) span.recordException(error)
        const message = error instanceof Error ? error.message : undefined
        span.setStatus(message ? { code: SpanStatusCode.ERROR, message } : { code: SpanStatusCode.ERROR })
      }
    }
    const now = performance.now()
    span.endAt(now)
    const seconds = (now - this.#startedAt) / 1000
    const exemplar = span.isSampled() ? span.spanContext() : undefined
    outcome.series.record(seconds, exemplar, span.startMs + (now - this.#startedAt))
  }
}

/** node:http and node:https, through Node's own channels. */
export function watchNodeClient(to: ClientObservation): void {
  watchChannel<{ request: ClientRequest }>('http.client.request.created', to.notice, ({ request }) => {
    const context = activeContext()
    const url = isUntraced(context) ? undefined : urlOf(request)
    if (!url) return
    const call = new Call(to, context, request.method, targetOf(url, to.redaction))
    observe(request, call)
    call.inject(to, (name, value) => setHeader(request, name, value))
  })
  type Failure = { request: ClientRequest; error: unknown }
  watchChannel<Failure>('http.client.request.error', to.notice, ({ request, error }) => {
    const call = observedOf(request)
    if (call instanceof Call) call.end(error)
  })
  type Answer = { request: ClientRequest; response: IncomingMessage }
  watchChannel<Answer>('http.client.response.finish', to.notice, ({ request, response }) => {
    const call = observedOf(request)
    if (!(call instanceof Call)) return
    call.answered(response, request.socket)
    observe(response, call)
  })
}

const calling = Symbol('shaketable.call')

interface UndiciRequest {
  origin: string | URL
  path: string
  method: string
  /** Names and values by turns; one string in undici 5. */
  headers: unknown
  /** Until undici 7: told of the switch to another protocol, which no channel says. */
  onUpgrade?(status: number, ...rest: unknown[]): unknown
  addHeader(name: string, value: string): void
  [calling]?: Call
}

/** fetch and every copy of undici, through undici's channels. */
export function watchUndici(to: ClientObservation): void {
  const targets = new Targets(to.redaction)
  watchChannel<{ request: UndiciRequest }>('undici:request:create', to.notice, ({ request }) => {
    const context = activeContext()
    if (isUntraced(context) || request.method === 'CONNECT') return
    const target = targets.of(String(request.origin), request.path)
    if (!target) return
    const call = new Call(to, context, request.method, target)
    request[calling] = call
    call.inject(to, (name, value) => putHeader(request, name, value))
    endWithUpgrade(request, call)
  })
  type Answer = { request: UndiciRequest; response: { statusCode: number } }
  watchChannel<Answer>('undici:request:headers', to.notice, ({ request, response }) => {
    const call = request[calling]
    if (!call) return
    call.status = response.statusCode
    // An upgrade ends without trailers; from undici 8 on it has headers.
    if (call.status === 101) call.end()
  })
  watchChannel<{ request: UndiciRequest }>('undici:request:trailers', to.notice, ({ request }) => {
    request[calling]?.end()
  })
  type Failure = { request: UndiciRequest; error: unknown }
  watchChannel<Failure>('undici:request:error', to.notice, ({ request, error }) => {
    request[calling]?.end(error)
  })
}

/** The call that undici's own object stands for; `undefined` where it is not observed. */
export function callOf(request: object): Observed | undefined {
  return (request as UndiciRequest)[calling]
}

/** Whether no URL parser would change it: there are no segments such as `..`. */
function isAsParsed(path: string): boolean {
  return path.startsWith('/') && isPlainPath(path) && !path.includes('/.')
}

/** Reads an origin once: a service calls few of them, again and again. */
class Targets {
  readonly #redaction: Redaction
  #last: { origin: string; host: string; port: number } | undefined

  constructor(redaction: Redaction) {
    this.#redaction = redaction
  }

  /** Undefined where it is no URL. */
  of(origin: string, path: string): Target | undefined {
    const last = this.#last
    if (last?.origin === origin && isAsParsed(path))
      return { url: origin + this.#redaction.path(path), host: last.host, port: last.port }
    const full = `${origin}${path}`
    if (!URL.canParse(full)) return undefined
    const url = new URL(full)
    const target = targetOf(url, this.#redaction)
    if (url.origin === origin) this.#last = { origin, host: target.host, port: target.port }
    return target
  }
}

function urlOf(request: ClientRequest): URL | undefined {
  const host = request.host.includes(':') ? `[${request.host}]` : request.host
  const header = String(request.getHeader('host') ?? host)
  // Node's own header has the port. One that a proxy passes on from its caller does not say whom it calls.
  const authority = hostAndPort(header, 'http').host === host ? header : host
  const full = `${request.protocol}//${authority}${request.path}`
  return URL.canParse(full) ? new URL(full) : undefined
}

function setHeader(request: ClientRequest, name: string, value: string): void {
  if (!request.headersSent) {
    request.setHeader(name, value)
    return
  }
  // Headers given as an array, or with `Expect`, are serialised at once; they are not on the wire yet.
  const stored = request as ClientRequest & { _header?: unknown; outputData?: { data: unknown }[] }
  const { _header: header, outputData: [queued] = [] } = stored
  if (typeof header !== 'string' || !header.endsWith('\r\n\r\n')) return
  const others = header.slice(0, -2).replace(new RegExp(`(?<=\\r\\n)${name}:.*\\r\\n`, 'gi'), '')
  stored._header = `${others}${name}: ${value}\r\n\r\n`
  if (queued?.data === header) queued.data = stored._header
}

/** A WebSocket's call ends where the HTTP does. */
function endWithUpgrade(request: UndiciRequest, call: Call): void {
  const { onUpgrade } = request
  if (typeof onUpgrade !== 'function') return
  request.onUpgrade = function (status, ...rest) {
    call.status = status
    call.end()
    return onUpgrade.call(this, status, ...rest)
  }
}

/** In the place of what the app passes on from its own caller: two `traceparent` headers would end the trace. */
function putHeader(request: UndiciRequest, name: string, value: string): void {
  const { headers } = request
  if (Array.isArray(headers)) {
    for (let at = 0; at < headers.length; at += 2) {
      const given = String(headers[at])
      if (given.length !== name.length || given.toLowerCase() !== name) continue
      headers[at + 1] = value
      return
    }
  }
  request.addHeader(name, value)
}

function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  const { code } = error as Error & { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
