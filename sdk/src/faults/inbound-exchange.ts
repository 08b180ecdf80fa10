import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'

/** A request that the service received and has not answered: HTTP/1.1, or HTTP/2 in its compatible form. */
export class Inbound {
  readonly request: IncomingMessage | Http2ServerRequest
  readonly response: ServerResponse | Http2ServerResponse

  constructor(request: IncomingMessage | Http2ServerRequest, response: ServerResponse | Http2ServerResponse) {
    this.request = request
    this.response = response
  }

  /** The client went away: an answer would reach nobody, and a handler would wait for a body that never ends. */
  get gone(): boolean {
    return this.response.destroyed || this.request.destroyed || this.request.socket.destroyed
  }

  onGone(run: () => void): void {
    if (this.gone) run()
    else this.response.once('close', run)
  }

  answer(status: number, contentType: string, body: string): void {
    if (this.gone) return
    // The rest of the body is read and dropped, so that the connection stays fit for the next request.
    this.request.resume()
    this.response.statusCode = status
    this.response.setHeader('content-type', contentType)
    this.response.setHeader('content-length', Buffer.byteLength(body))
    const response = this.response as ServerResponse
    response.end(body)
  }

  /** TCP RST; over TLS and HTTP/2 the nearest that the protocol has. */
  reset(): void {
    if ('stream' in this.request) {
      // One stream of a shared connection: NGHTTP2_INTERNAL_ERROR ends only this request.
      this.request.stream.close(2)
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
