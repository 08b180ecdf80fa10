import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse, IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'

/** NGHTTP2_INTERNAL_ERROR ends one stream of a shared connection, and nothing else. */
const internalError = 2

/** A request that the service received and has not answered. */
export interface Inbound {
  readonly method: string
  header(name: string): string | undefined
  /** What the app writes its answer to. */
  readonly response: ServerResponse | Http2ServerResponse | ServerHttp2Stream
  /** The client went away: an answer would reach nobody, and a handler would wait for a body that never ends. */
  readonly gone: boolean
  onGone(run: () => void): void
  answer(status: number, headers: Record<string, string>, body: string): void
  /** Ends the connection after what has been written; a reset would take that back. */
  breakOff(): void
  /** TCP RST; over TLS and HTTP/2 the nearest that the protocol has. */
  reset(): void
}

/** HTTP/1.1, or HTTP/2 in its compatible form. */
export class InboundRequest implements Inbound {
  readonly request: IncomingMessage | Http2ServerRequest
  readonly response: ServerResponse | Http2ServerResponse

  constructor(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) {
    this.request = request
    this.response = response
  }

  get method(): string {
    return this.request.method ?? 'GET'
  }

  header(name: string): string | undefined {
    return joined(this.request.headers[name])
  }

  get gone(): boolean {
    return this.response.destroyed || this.request.destroyed || this.request.socket.destroyed
  }

  onGone(run: () => void): void {
    if (this.gone) run()
    else this.response.once('close', run)
  }

  answer(status: number, headers: Record<string, string>, body: string): void {
    if (this.gone) return
    // The rest of the body is read and dropped, so that the connection stays fit for the next request.
    this.request.resume()
    const response = this.response as ServerResponse
    response.statusCode = status
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value)
    if (body !== '') response.setHeader('content-length', Buffer.byteLength(body))
    response.end(body)
  }

  breakOff(): void {
    if ('stream' in this.request) this.request.stream.close(internalError)
    else this.request.socket.destroySoon()
  }

  reset(): void {
    if ('stream' in this.request) {
      this.request.stream.close(internalError)
      return
    }
    const { socket } = this.request
    if (socket.destroyed) return
    try {
      socket.resetAndDestroy()
    } catch {
      socket.destroy()
    }
  }
}

/** A stream of HTTP/2 as gRPC servers take it. */
export class InboundStream implements Inbound {
  readonly response: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.response = stream
    this.headers = headers
  }

  get method(): string {
    return joined(this.headers[':method']) ?? 'POST'
  }

  header(name: string): string | undefined {
    return joined(this.headers[name])
  }

  get gone(): boolean {
    return this.response.destroyed || this.response.closed
  }

  onGone(run: () => void): void {
    if (this.gone) run()
    else this.response.once('close', run)
  }

  answer(status: number, headers: Record<string, string>, body: string): void {
    if (this.gone) return
    this.response.resume()
    this.response.respond({ ':status': status, ...headers }, { endStream: body === '' })
    if (body !== '') this.response.end(body)
  }

  breakOff(): void {
    this.reset()
  }

  reset(): void {
    // The app may not have seen the stream, and then nobody else hears of its end.
    this.response.once('error', () => {})
    this.response.close(internalError)
  }
}

const joined = (value: string | string[] | undefined) => (Array.isArray(value) ? value.join(', ') : value)
