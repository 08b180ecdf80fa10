import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import {
  type Context,
  ROOT_CONTEXT,
  SpanKind,
  SpanStatusCode,
  type TextMapGetter,
  type TextMapPropagator,
} from '@opentelemetry/api'
import { activeContext, contextOf, enterContext, inCourseOf, isUntraced } from '../context.ts'
import type { AccessLog } from '../logs/access-log.ts'
import type { RequestMetrics, ServedFacts } from '../metrics/red.ts'
import { attribute } from '../names.ts'
import type { Notice } from '../notice.ts'
import type { Redaction } from '../redaction.ts'
import type { RecordedSpan } from '../traces/span.ts'
import { httpScope, type SpanProvider } from '../traces/tracer.ts'
import { Caller } from './caller.ts'
import { watchChannel } from './channel.ts'
import { Http2Exchange, isRequest } from './http2-exchange.ts'
import { InFlight, type Placed } from './in-flight.ts'
import { methodOf } from './method.ts'
import { keepContextInStreams, type Message, type Observed, observe, observedOf } from './observed.ts'
import type { RecentKinds } from './recent-kinds.ts'
import { isWithheld, routeOf, syntaxOf } from './route.ts'
import type { SeenRoutes } from './seen-routes.ts'
import { type Answer, answersOf, ServedRequest } from './served-request.ts'
import type { Servers } from './servers.ts'
import { protocolOf, watchUpgrades } from './upgrades.ts'

export interface ServerObservation {
  provider: SpanProvider
  propagator: TextMapPropagator
  metrics: RequestMetrics
  accessLog: AccessLog | undefined
  redaction: Redaction
  servers: Servers
  /** Only where faults are enabled: nothing else answers before the framework has routed. */
  seenRoutes: SeenRoutes | undefined
  notice: Notice
}

type Connection = Socket & { encrypted?: boolean; _httpMessage?: object | null }

interface Begin {
  request: IncomingMessage
  response: ServerResponse
  socket: Connection
  server: Server
}

interface Http2Begin {
  stream: ServerHttp2Stream
  headers: IncomingHttpHeaders
}

interface Exchanged {
  request: IncomingMessage | Http2Exchange
  response: ServerResponse | Http2Exchange
  method: string
  scheme: 'http' | 'https'
  path: string
}

/** A request and its answer, from its headers to the end. It hangs on its own messages, so that it lives no longer than they. */
class Exchange implements Observed, Placed {
  place = -1
  readonly request: Exchanged['request']
  readonly response: Exchanged['response']
  readonly method: string
  readonly scheme: 'http' | 'https'
  readonly path: string
  readonly context: Context
  readonly span: RecordedSpan
  readonly startedAt: number
  readonly #closed: (exchange: Exchange) => void

  constructor(of: Exchanged, span: RecordedSpan, context: Context, closed: (exchange: Exchange) => void) {
    this.request = of.request
    this.response = of.response
    this.method = of.method
    this.scheme = of.scheme
    this.path = of.path
    this.context = context
    this.span = span
    this.startedAt = span.startedAt ?? performance.now()
    this.#closed = closed
  }

  event(message: Message, name: string | symbol): void {
    if (name === 'close' && this.place >= 0 && message !== this.request) this.#closed(this)
  }
}

/** The `error.type` of a request that outlived its process. */
export type AbandonReason = 'uncaught_exception' | 'process_exit' | 'drain_timeout'

const headers: TextMapGetter<Exchanged['request']> = {
  get: (request, name) => request.headers[name],
  keys: request => Object.keys(request.headers),
}

/** One hook where a request begins and one where it ends make its span, its RED metrics and its access line. */
export class ServerObserver {
  draining = false
  readonly #to: ServerObservation
  readonly #answers: RecentKinds<ServedFacts, Answer>
  readonly #open = new InFlight<Exchange>()
  readonly #pipelining = new WeakSet<Socket>()
  #idle: (() => void)[] = []

  constructor(to: ServerObservation) {
    this.#to = to
    this.#answers = answersOf(to.metrics, to.accessLog)
  }

  watch(): void {
    const { notice } = this.#to
    watchChannel<Begin>('http.server.request.start', notice, begin => {
      if (this.#to.servers.isOwn(begin.server)) return
      this.#begin(begin)
    })
    watchChannel<Begin>('http.server.response.finish', notice, ({ response }) => {
      const exchange = observedOf(response)
      if (exchange instanceof Exchange) this.#end(exchange, undefined)
    })
    watchChannel<Http2Begin>('http2.server.stream.start', notice, begin => this.#beginStream(begin))
    watchUpgrades(protocol => this.#to.metrics.upgraded(protocol))
  }

  /** Requests in flight. */
  get active(): number {
    return this.#open.size
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    if (this.active === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** From now on every answer closes its connection. */
  drain(): void {
    this.draining = true
    for (const { response } of this.#open.all()) closeAfter(response)
  }

  /** Ends what is still open, with the reason as its `error.type`: the process will not live to see an answer. */
  abandon(reason: AbandonReason): void {
    for (const exchange of this.#open.all()) this.#end(exchange, reason)
  }

  #begin({ request, response, socket }: Begin): void {
    const exchange = this.#start(request, response, socket)
    if (socket._httpMessage) this.#watchPipelined(socket)
    observe(request, exchange)
    observe(response, exchange)
  }

  #beginStream({ stream, headers }: Http2Begin): void {
    if (!isRequest(stream, headers) || isUntraced(activeContext())) return
    const protocol = headers[':protocol']
    if (protocol !== undefined) {
      this.#to.metrics.upgraded(protocolOf(String(protocol)))
      return
    }
    const both = new Http2Exchange(stream, headers)
    const exchange = this.#start(both, both, stream.session!.socket as Connection)
    keepContextInStreams(stream, this.#to.notice)
    observe(stream, exchange)
  }

  /** Without an answer there is no `finish`: the connection went away first. A stream of HTTP/2 never tells of a `finish`. */
  readonly #closed = (exchange: Exchange): void => {
    const { response } = exchange
    this.#end(exchange, response instanceof Http2Exchange && response.complete ? undefined : 'aborted')
  }

  #start(request: Exchanged['request'], response: Exchanged['response'], socket: Connection): Exchange {
    const { propagator, provider, redaction, metrics, seenRoutes } = this.#to
    const method = methodOf(request.method)
    const scheme: 'http' | 'https' = socket.encrypted ? 'https' : 'http'
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = redaction.path(mark < 0 ? url : url.slice(0, mark))
    const query = mark < 0 ? undefined : url.slice(mark + 1)
    const of: Exchanged = { request, response, method, scheme, path }
    const caller = propagator.extract(ROOT_CONTEXT, request, headers)
    const span = provider.start(httpScope, method, SpanKind.SERVER, caller, undefined, () =>
      describe(of, query, socket, redaction),
    )
    const own = contextOf(span, caller)
    // Only faults ask for it.
    const context = seenRoutes ? inCourseOf(span, own) : own
    const exchange = new Exchange(of, span, context, this.#closed)
    this.#open.add(exchange)
    metrics.began(method, scheme)
    if (this.draining) closeAfter(response)
    enterContext(context)
    return exchange
  }

  /**
   * The answer to a pipelined request waits for the one before it. When the connection goes first Node forgets the answer
   * without a word before Node 24: no `finish`, no `close`.
   */
  #watchPipelined(socket: Begin['socket']): void {
    // Node's own note of the answer that has the connection now.
    if (this.#pipelining.has(socket)) return
    this.#pipelining.add(socket)
    socket.once('close', () => {
      for (const exchange of this.#open.all())
        if ('socket' in exchange.request && exchange.request.socket === socket) this.#end(exchange, 'aborted')
    })
  }

  #end(exchange: Exchange, failure: string | undefined): void {
    if (!this.#open.delete(exchange)) return
    const { span, response, method, scheme, path } = exchange
    const now = performance.now()
    const durationMs = now - exchange.startedAt
    const endMs = span.startMs + durationMs
    const status = failure && !response.headersSent ? undefined : response.statusCode
    const errorType = failure ?? (status !== undefined && status >= 500 ? String(status) : undefined)
    const route = this.#route(exchange)
    const facts = { method, route, status, scheme, errorType }
    const answer = this.#answers.of(route ?? '', facts)
    // An untouched description names no fault.
    const faultId = span.description ? undefined : (span.attributes[attribute.faultId] as string | undefined)
    if (span.isSampled()) describeAnswer(span, answer)
    span.endAt(now)
    const { active, duration } = answer.series
    active.value--
    duration.record(durationMs / 1000, span.isSampled() ? span.spanContext() : undefined, endMs)
    // That it ended may have brought it in after all (errors_and_slow): the line has its flags from now.
    const line = { path, endMs, durationMs, faultId, span: span.spanContext() }
    if (answer.parts) this.#to.accessLog?.add(answer.parts, line)
    if (this.#idle.length === 0 || this.active > 0) return
    for (const resolve of this.#idle) resolve()
    this.#idle = []
  }

  #route({ request, method, path }: Exchange): string | undefined {
    const { seenRoutes } = this.#to
    const matched = routeOf(request)
    if (matched !== undefined) seenRoutes?.learn(method, matched, syntaxOf(request))
    else if (isWithheld(request)) return seenRoutes?.fitting(method, path)
    return matched
  }
}

function closeAfter(response: Exchange['response']): void {
  if (response instanceof Http2Exchange) response.stream.session?.close()
  else response.shouldKeepAlive = false
}

function describe(
  { request, method, scheme, path }: Exchanged,
  query: string | undefined,
  socket: Socket,
  redaction: Redaction,
): ServedRequest {
  const { headers, httpVersion } = request
  const authority = headers.host ?? headers[':authority']
  const caller = Caller.of(socket, scheme, httpVersion, authority === undefined ? undefined : String(authority))
  return new ServedRequest(
    caller,
    { method, verb: request.method, path, query, agent: headers['user-agent'] },
    redaction,
  )
}

function describeAnswer(span: RecordedSpan, answer: Answer): void {
  const { facts, spanName } = answer
  const { description } = span
  if (span.name === facts.method) span.updateName(spanName)
  if (description instanceof ServedRequest) description.answer = answer
  else span.describeAll(answer.attributes)
  // The app's own error has a message; ours would replace it.
  if (facts.errorType !== undefined && span.status.code === SpanStatusCode.UNSET)
    span.setStatus({ code: SpanStatusCode.ERROR })
}
