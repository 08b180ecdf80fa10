import { errorMonitor } from 'node:events'
import { createRequire } from 'node:module'
import { type Context, propagation, SpanKind, SpanStatusCode, type TextMapSetter, trace } from '@opentelemetry/api'
import { activeContext, isUntraced } from '../context.ts'
import { callerBaggageKey } from '../names.ts'
import type { Notice } from '../notice.ts'
import type { RecordedSpan } from '../traces/span.ts'
import { httpScope } from '../traces/tracer.ts'
import type { ClientObservation } from './client.ts'
import { type GivenHeaders, headerOf, meetSessions } from './http2-sessions.ts'
import { hostAndPort, methodOf } from './method.ts'
import { keepContextInStreams, observe } from './observed.ts'

type Http2 = typeof import('node:http2')
type Session = import('node:http2').ClientHttp2Session
type Stream = import('node:http2').ClientHttp2Stream

/**
 * Requests over HTTP/2 that the app makes by node:http2 itself. Node's channels tell of them only when their headers are
 * settled, so that the sessions' own method is overridden, once the app loads the module.
 */
export function patchHttp2Client(to: ClientObservation): void {
  const http2 = createRequire(import.meta.url)('node:http2') as Http2
  const origins = new WeakMap<Session, string>()
  meetSessions(http2, (session, origin) => {
    origins.set(session, origin)
    // Faults look at the prototype before it is patched: what they strike is inside of its span.
    if (!isUntraced(activeContext())) patchRequest(Object.getPrototypeOf(session), to, origins)
  })
}

const patched = new WeakSet<object>()

function patchRequest(prototype: Session, to: ClientObservation, origins: WeakMap<Session, string>): void {
  if (patched.has(prototype)) return
  patched.add(prototype)
  const { request } = prototype
  prototype.request = function (this: Session, headers, options) {
    const call = begin(to, origins.get(this), headers as GivenHeaders | undefined)
    if (!call) return request.call(this, headers, options)
    try {
      const stream = request.call(this, call.headers as typeof headers, options)
      call.watch(stream, to.notice)
      return stream
    } catch (error) {
      call.end(error)
      throw error
    }
  }
}

/** Undefined for what is not to be traced; gRPC's calls are for its own instrumentation. */
function begin(to: ClientObservation, origin: string | undefined, given: GivenHeaders = {}): Call | undefined {
  try {
    const context = activeContext()
    const read = (name: string) => headerOf(given, name)
    const target = `${read(':scheme') ?? origin?.split(':')[0]}://${read(':authority') ?? origin?.split('//')[1]}`
    const full = `${target}${read(':path') ?? '/'}`
    if (isUntraced(context) || read('content-type')?.startsWith('application/grpc') || !URL.canParse(full)) {
      return undefined
    }
    return new Call(to, context, read(':method') ?? 'GET', new URL(full), given)
  } catch (error) {
    to.notice(`a request over HTTP/2 is not observed: ${String(error)}`)
    return undefined
  }
}

/** A request, until its stream closes; until its answer begins, where the stream goes on as another protocol. */
class Call {
  /** The app's, with the trace context and baggage of this call. */
  readonly headers: GivenHeaders
  readonly #to: ClientObservation
  readonly #context: Context
  readonly #span: RecordedSpan
  readonly #method: string
  readonly #peer: { host: string; port: number }
  readonly #startedAt = performance.now()
  #status: number | undefined
  #open = true

  constructor(to: ClientObservation, context: Context, verb: string, url: URL, given: GivenHeaders) {
    this.#to = to
    this.#context = context
    this.#method = methodOf(verb)
    this.#peer = hostAndPort(url.host, url.protocol.slice(0, -1))
    const name = this.#method === '_OTHER' ? 'HTTP' : this.#method
    const span = to.provider.start(httpScope, name, SpanKind.CLIENT, context)
    this.#span = span
    to.calls?.began(span, context)
    this.headers = this.#inject(given)
    if (!span.isSampled()) return
    span.describe('http.request.method', this.#method)
    span.describe('url.full', to.redaction.url(url))
    span.describe('server.address', this.#peer.host)
    span.describe('server.port', this.#peer.port)
    span.describe('network.protocol.version', '2')
  }

  watch(stream: Stream, notice: Notice): void {
    keepContextInStreams(stream as never, notice)
    observe(stream as never, { context: this.#context })
    stream.once('response', headers => {
      this.#status = Number(headers[':status'])
      if (this.#method === 'CONNECT') this.end()
    })
    stream.once(errorMonitor, error => this.end(error))
    stream.once('close', () => {
      const error = new Error('the stream was closed before an answer')
      this.end(this.#status === undefined ? Object.assign(error, { code: 'ERR_HTTP2_STREAM_CANCEL' }) : undefined)
    })
  }

  end(error?: unknown): void {
    if (!this.#open) return
    this.#open = false
    const span = this.#span
    const status = this.#status
    const failed = status !== undefined && status >= 400 ? String(status) : undefined
    const errorType = error === undefined ? failed : errorTypeOf(error)
    if (span.isSampled()) {
      span.describe('http.response.status_code', status)
      span.describe('error.type', errorType)
      if (error instanceof Error) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      else if (errorType !== undefined) span.setStatus({ code: SpanStatusCode.ERROR })
    }
    span.end()
    this.#to.calls?.ended(span)
    const { host: address, port } = this.#peer
    const seconds = (performance.now() - this.#startedAt) / 1000
    const exemplar = span.isSampled() ? span.spanContext() : undefined
    const facts = { method: this.#method, address, port, status, errorType }
    this.#to.outcomes.of(address, facts).series.record(seconds, exemplar, span.endMs)
  }

  #inject(given: GivenHeaders): GivenHeaders {
    let own = trace.setSpan(this.#context, this.#span)
    if (this.#to.caller !== undefined) {
      const baggage = propagation.getBaggage(own) ?? propagation.createBaggage()
      own = propagation.setBaggage(own, baggage.setEntry(callerBaggageKey, { value: this.#to.caller }))
    }
    const added: [string, string][] = []
    const setter: TextMapSetter<undefined> = { set: (_carrier, name, value) => added.push([name, value]) }
    this.#to.propagator.inject(own, undefined, setter)
    const names = new Set(added.map(([name]) => name))
    // In the place of what the app passes on from its own caller: two `traceparent` headers would end the trace.
    if (Array.isArray(given)) {
      const kept = given.filter((_, at) => !names.has(String(given[at - (at % 2)]).toLowerCase()))
      return [...kept, ...added.flat()]
    }
    const kept = Object.entries(given).filter(([name]) => !names.has(name.toLowerCase()))
    const sensitive = Object.getOwnPropertySymbols(given).map(symbol => [symbol, Reflect.get(given, symbol)])
    return Object.fromEntries([...kept, ...added, ...sensitive])
  }
}

function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return 'Error'
  const { code } = error as Error & { code?: unknown }
  return typeof code === 'string' ? code : error.name
}
