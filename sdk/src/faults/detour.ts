import { AsyncResource } from 'node:async_hooks'
import http2, {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type IncomingHttpHeaders,
  type OutgoingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2'
import { duplexPair } from 'node:stream'
import { untraced } from '../context.ts'
import { connectionReset } from './connection-reset.ts'
import { strikeInbound } from './inbound.ts'
import { InboundStream } from './inbound-exchange.ts'
import type { Strike, Striking } from './strike.ts'

type Request = ClientHttp2Session['request']
type Args = Parameters<Request>

interface Struck {
  strike: Strike
  /** What the app holds. */
  near: ClientHttp2Stream
  /** The request over its own session, as if nothing were. */
  real(endStream: boolean): ClientHttp2Stream
}

const endStreamFlag = 1
/** A client's way to give a request up. */
const cancel = 8

/**
 * Where the struck requests of one session go: over a connection within this process to a server that does to them what a fault
 * would do to a request that came in, and hands on over the session what may go on. So the app's end is a true stream of HTTP/2,
 * and the other requests of its session notice nothing.
 */
export class Detour {
  readonly #real: ClientHttp2Session
  readonly #request: Request
  readonly #session: ClientHttp2Session
  readonly #struck = new Map<number, Struck>()

  constructor(real: ClientHttp2Session, request: Request, striking: Striking) {
    this.#real = real
    this.#request = request
    const [near, far] = duplexPair()
    const server = untraced(() => http2.performServerHandshake(far))
    this.#session = untraced(() => http2.connect('http://localhost', { createConnection: () => near }))
    for (const session of [server, this.#session]) session.on('error', () => {})
    server.on('stream', (stream: ServerHttp2Stream, headers, flags) => {
      const struck = this.#struck.get(stream.id!)!
      this.#struck.delete(stream.id!)
      const exchange = new OutboundStream(stream, headers, struck.near)
      strikeInbound(struck.strike, exchange, striking, () => join(exchange, struck.real((flags & endStreamFlag) !== 0)))
    })
    real.once('close', () => this.#session.close())
  }

  request(headers: Args[0], options: Args[1], strike: Strike): ClientHttp2Stream {
    const near = this.#request.call(this.#session, headers, options)
    const { signal: _, ...rest } = options ?? {}
    const real = (endStream: boolean) => this.#request.call(this.#real, headers, { ...rest, endStream })
    this.#struck.set(near.id!, { strike, near, real: AsyncResource.bind(real) })
    return near
  }
}

/** The far end of a detour. A reset is what the app would see of a connection that is lost. */
class OutboundStream extends InboundStream {
  readonly #near: ClientHttp2Stream
  lost = false

  constructor(far: ServerHttp2Stream, headers: IncomingHttpHeaders, near: ClientHttp2Stream) {
    super(far, headers)
    this.#near = near
    far.on('error', () => {})
  }

  override breakOff(): void {
    // What was written before arrives before.
    this.response.write('', () => setImmediate(() => this.reset()))
  }

  override reset(): void {
    this.lost = true
    this.#near.destroy(connectionReset())
  }
}

/** Hands everything on between the far end of a detour and the real stream, either way. */
function join(exchange: OutboundStream, real: ClientHttp2Stream): void {
  const far = exchange.response
  let asked: IncomingHttpHeaders = {}
  let answered: IncomingHttpHeaders = {}
  far.on('trailers', headers => {
    asked = headers
  })
  real.on('wantTrailers', () => real.sendTrailers(asked as OutgoingHttpHeaders))
  far.pipe(real)

  real.on('headers', headers => {
    if (!far.destroyed) far.additionalHeaders(headers)
  })
  real.on('response', (headers, flags) => {
    if (far.destroyed) return
    const endStream = (flags & endStreamFlag) !== 0
    far.respond(headers, { endStream, waitForTrailers: !endStream })
  })
  real.on('trailers', headers => {
    answered = headers
  })
  far.on('wantTrailers', () => far.sendTrailers(answered as OutgoingHttpHeaders))
  real.pipe(far)

  real.on('error', () => {})
  real.once('close', () => {
    if (real.rstCode !== 0) far.close(real.rstCode)
  })
  far.once('close', () => {
    // An error would be one of the dependency's own, which many a server does not survive.
    if (far.rstCode !== 0) real.close(exchange.lost ? cancel : far.rstCode)
  })
}
