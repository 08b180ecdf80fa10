import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2'

/**
 * A stream of HTTP/2, as the observer reads a request and its answer. The app may use the stream itself or Node's compatible
 * messages: both stand on it.
 */
export class Http2Exchange {
  readonly httpVersion = '2'
  readonly httpVersionMajor = 2
  readonly stream: ServerHttp2Stream
  readonly headers: IncomingHttpHeaders

  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders) {
    this.stream = stream
    this.headers = headers
  }

  get method(): string | undefined {
    return this.headers[':method']
  }

  get url(): string | undefined {
    return this.headers[':path']
  }

  get headersSent(): boolean {
    return this.stream.headersSent
  }

  get statusCode(): number {
    return Number(this.stream.sentHeaders[':status'])
  }

  /** Whether the whole answer went out: neither side has reset the stream, and the connection lived. */
  get complete(): boolean {
    const { stream } = this
    return stream.headersSent && !stream.aborted && stream.rstCode === 0
  }
}

/** Pushed streams are answers, not requests; gRPC's calls are for its own instrumentation. */
export function isRequest(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): boolean {
  const byClient = stream.id !== undefined && stream.id % 2 === 1
  return byClient && !headers['content-type']?.startsWith('application/grpc')
}
