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
  trace,
} from '@opentelemetry/api'
import { enterContext } from '../context.ts'
import type { AccessLog } from '../logs/access-log.ts'
import type { RequestMetrics } from '../metrics/red.ts'
import { attribute } from '../names.ts'
import type { Notice } from '../notice.ts'
import type { Redaction } from '../redaction.ts'
import type { RecordedSpan } from '../traces/span.ts'
import { httpScope, type SpanProvider } from '../traces/tracer.ts'
import { watchChannel } from './channel.ts'
import { Http2Exchange, isRequest } from './http2-exchange.ts'
import { hostAndPort, methodOf } from './method.ts'
import { keepContextInStreams, observe } from './observed.ts'
import { isWithheld, routeOf, syntaxOf } from './route.ts'
import type { SeenRoutes } from './seen-routes.ts'
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

interface Exchange {
  request: IncomingMessage | Http2Exchange
  response: ServerResponse | Http2Exchange
  context: Context
  span: RecordedSpan
  startedAt: number
  method: string
  scheme: string
  path: string
  query: string | undefined
}

/** The `error.type` of a request that outlived its process. */
export type AbandonReason = 'uncaught_exception' | 'process_exit' | 'drain_timeout'

const headers: TextMapGetter<Exchange['request']> = {
  get: (request, name) => request.headers[name],
  keys: request => Object.keys(request.headers),
}

/** One hook where a request begins and one where it ends make its span, its RED metrics and its access line. */
export class ServerObserver {
  /** Requests in flight. */
  active = 0
  draining = false
  readonly #to: ServerObservation
  readonly #open = new Set<Exchange>()
  readonly #pipelining = new WeakSet<Socket>()
  #idle: (() => void)[] = []

  constructor(to: ServerObservation) {
    this.#to = to
  }

  watch(): void {
    const exchanges = new WeakMap<ServerResponse, Exchange>()
    const { notice } = this.#to
    watchChannel<Begin>('http.server.request.start', notice, begin => {
      if (this.#to.servers.isOwn(begin.server)) return
      const exchange = this.#begin(begin)
      exchanges.set(begin.response, exchange)
    })
    watchChannel<Begin>('http.server.response.finish', notice, ({ response }) => {
      const exchange = exchanges.get(response)
      if (exchange) this.#end(exchange, undefined)
    })
    watchChannel<Http2Begin>('http2.server.stream.start', notice, begin => this.#beginStream(begin))
    watchUpgrades(protocol => this.#to.metrics.upgraded(protocol))
  }

  /** Resolves when no request is in flight. */
  idle(): Promise<void> {
    if (this.active === 0) return Promise.resolve()
    return new Promise(resolve => this.#idle.push(resolve))
  }

  /** From now on every answer closes its connection. */
  drain(): void {
    this.draining = true
    for (const { response } of this.#open) closeAfter(response)
  }

  /** Ends what is still open, with the reason as its `error.type`: the process will not live to see an answer. */
  abandon(reason: AbandonReason): void {
    for (const exchange of [...this.#open]) this.#end(exchange, reason)
  }

  #begin({ request, response, socket }: Begin): Exchange {
    const exchange = this.#start(request, response, socket)
    this.#watchPipelined(socket)
    const { context } = exchange
    observe(request, { context })
    observe(response, {
      context,
      event: name => {
        // Without an answer there is no `finish`: the connection went away first.
        if (name === 'close') this.#end(exchange, 'aborted')
      },
    })
    return exchange
  }

  #beginStream({ stream, headers }: Http2Begin): void {
    if (!isRequest(stream, headers)) return
    const protocol = headers[':protocol']
    if (protocol !== undefined) {
      this.#to.metrics.upgraded(protocolOf(String(protocol)))
      return
    }
    const both = new Http2Exchange(stream, headers)
    const exchange = this.#start(both, both, stream.session!.socket as Connection)
    keepContextInStreams(stream, this.#to.notice)
    observe(stream, {
      context: exchange.context,
      event: name => {
        if (name === 'close') this.#end(exchange, both.complete ? undefined : 'aborted')
      },
    })
  }

  #start(request: Exchange['request'], response: Exchange['response'], socket: Connection): Exchange {
    const method = methodOf(request.method)
    const caller = this.#to.propagator.extract(ROOT_CONTEXT, request, headers)
    const span = this.#to.provider.start(httpScope, method, SpanKind.SERVER, caller)
    const context = trace.setSpan(caller, span)
    const [path = '/', ...query] = (request.url ?? '/').split('?')
    const scheme = socket.encrypted ? 'https' : 'http'
    const startedAt = performance.now()
    const { redaction } = this.#to
    const search = query.length > 0 ? redaction.query(query.join('?')) : undefined
    const exchange: Exchange = {
      request,
      response,
      context,
      span,
      startedAt,
      method,
      scheme,
      path: redaction.path(path),
      query: search,
    }
    this.active++
    this.#open.add(exchange)
    this.#to.metrics.began(method, scheme)
    if (this.draining) closeAfter(response)
    if (span.isSampled()) describeRequest(exchange, socket)
    enterContext(context)
    return exchange
  }

  /**
   * The answer to a pipelined request waits for the one before it. When the connection goes first Node forgets the answer
   * without a word before Node 24: no `finish`, no `close`.
   */
  #watchPipelined(socket: Begin['socket']): void {
    // Node's own note of the answer that has the connection now.
    if (!socket._httpMessage || this.#pipelining.has(socket)) return
    this.#pipelining.add(socket)
    socket.once('close', () => {
      for (const exchange of [...this.#open])
        if ('socket' in exchange.request && exchange.request.socket === socket) this.#end(exchange, 'aborted')
    })
  }

  #end(exchange: Exchange, failure: string | undefined): void {
    if (!this.#open.delete(exchange)) return
    this.active--
    const { span, response, method, scheme, path } = exchange
    const durationMs = performance.now() - exchange.startedAt
    const status = failure && !response.headersSent ? undefined : response.statusCode
    const errorType = failure ?? (status !== undefined && status >= 500 ? String(status) : undefined)
    const route = this.#route(exchange)
    const faultId = span.attributes[attribute.faultId] as string | undefined
    const spanContext = span.spanContext()
    if (span.isSampled()) describeAnswer(span, { method, route, status, errorType })
    span.end()
    const exemplar = span.isSampled() ? spanContext : undefined
    this.#to.metrics.served({ method, route, status, scheme, errorType }, durationMs / 1000, exemplar)
    const { traceId, spanId, traceFlags } = spanContext
    this.#to.accessLog?.add({
      method,
      path,
      route,
      status,
      durationMs,
      errorType,
      faultId,
      traceId,
      spanId,
      traceFlags,
    })
    if (this.active > 0) return
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

function describeRequest({ span, request, method, scheme, path, query }: Exchange, socket: Socket): void {
  span.describe('http.request.method', method)
  if (method === '_OTHER') span.describe('http.request.method_original', request.method)
  span.describe('url.scheme', scheme)
  span.describe('url.path', path)
  span.describe('url.query', query)
  const authority = request.headers.host ?? request.headers[':authority']
  if (authority) {
    const { host, port } = hostAndPort(String(authority), scheme)
    span.describe('server.address', host)
    span.describe('server.port', port)
  }
  span.describe('client.address', socket.remoteAddress)
  span.describe('network.peer.address', socket.remoteAddress)
  span.describe('network.peer.port', socket.remotePort)
  span.describe('network.protocol.version', request.httpVersion)
  span.describe('user_agent.original', request.headers['user-agent'])
}

interface Answer {
  method: string
  route: string | undefined
  status: number | undefined
  errorType: string | undefined
}

function describeAnswer(span: RecordedSpan, { method, route, status, errorType }: Answer): void {
  const verb = method === '_OTHER' ? 'HTTP' : method
  if (span.name === method) span.updateName(route === undefined ? verb : `${verb} ${route}`)
  span.describe('http.route', route)
  span.describe('http.response.status_code', status)
  span.describe('error.type', errorType)
  // The app's own error has a message; ours would replace it.
  if (errorType !== undefined && span.status.code === SpanStatusCode.UNSET)
    span.setStatus({ code: SpanStatusCode.ERROR })
}
