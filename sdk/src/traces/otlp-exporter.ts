import http, { type Agent } from 'node:http'
import { gzipSync } from 'node:zlib'
import { untraced } from '../context.ts'
import type { OtlpOptions } from '../options.ts'
import type { LastMessage } from './last-moment.ts'
import { encodeJson } from './otlp-json.ts'
import { encodeProtobuf } from './otlp-protobuf.ts'
import type { Delivery, SpanDestination } from './queue.ts'
import type { RecordedSpan } from './span.ts'

const retryable = new Set([429, 502, 503, 504])

/** How a signal is written as one export request. */
export interface Encoding<Item> {
  json(items: readonly Item[]): Buffer
  protobuf(items: readonly Item[]): Buffer
}

const spans: Encoding<RecordedSpan> = { json: encodeJson, protobuf: encodeProtobuf }

/** Spans over OTLP/HTTP. */
export function openHttpExporter(options: OtlpOptions): SpanDestination {
  return new OtlpExporter(options, spans)
}

/** Sends batches over OTLP/HTTP, protobuf or JSON. Its own traffic is never traced, and never keeps the process alive. */
export class OtlpExporter<Item> {
  readonly name: string
  readonly #encoding: Encoding<Item>
  readonly #options: OtlpOptions
  readonly #url: URL
  readonly #transport: typeof http
  readonly #agent: Agent

  constructor(options: OtlpOptions, encoding: Encoding<Item>) {
    this.#encoding = encoding
    this.#options = options
    this.#url = new URL(options.endpoint)
    this.name = `OTLP ${options.protocol} to ${this.#url.origin}${this.#url.pathname}`
    // To import it would load all of TLS.
    const secure = this.#url.protocol === 'https:'
    this.#transport = secure ? (process.getBuiltinModule('node:https') as unknown as typeof http) : http
    this.#agent = new this.#transport.Agent({ keepAlive: true, maxSockets: 1 })
  }

  encode(items: readonly Item[]): LastMessage {
    const json = this.#options.protocol === 'http/json'
    const plain = json ? this.#encoding.json(items) : this.#encoding.protobuf(items)
    const gzip = this.#options.compression === 'gzip'
    const body = gzip ? gzipSync(plain) : plain
    const headers: Record<string, string> = {
      'user-agent': 'shaketable-sdk',
      ...this.#options.headers,
      'content-type': json ? 'application/json' : 'application/x-protobuf',
      'content-length': String(body.length),
    }
    if (gzip) headers['content-encoding'] = 'gzip'
    return { transport: 'http', url: this.#url.href, headers, body }
  }

  send(items: readonly Item[], timeoutMs: number): Promise<Delivery> {
    const { headers, body } = this.encode(items)
    const limit = Math.min(timeoutMs, this.#options.timeoutMs)
    return new Promise(resolve => {
      untraced(() => {
        const request = this.#transport.request(this.#url, { method: 'POST', headers, agent: this.#agent })
        const deadline = setTimeout(() => request.destroy(new Error(`no answer within ${limit} ms`)), limit)
        // A collector that does not answer must not keep the process alive; a flush at its end waits with its own timer.
        deadline.unref()
        request.on('socket', socket => socket.unref())
        const settle = (delivery: Delivery) => {
          clearTimeout(deadline)
          resolve(delivery)
        }
        request.on('error', error => settle({ outcome: 'retry', reason: describe(error) }))
        request.on('response', response => {
          const chunks: Buffer[] = []
          let size = 0
          response.on('data', (chunk: Buffer) => {
            size += chunk.length
            if (size <= 65_536) chunks.push(chunk)
          })
          response.on('error', error => settle({ outcome: 'retry', reason: describe(error) }))
          response.on('end', () => {
            const status = response.statusCode ?? 0
            if (status >= 200 && status < 300)
              settle({
                outcome: 'sent',
                rejected: rejectedItems(response.headers['content-type'], Buffer.concat(chunks)),
              })
            else settle({ outcome: retryable.has(status) ? 'retry' : 'refused', reason: `it answered ${status}` })
          })
        })
        request.end(body)
      })
    })
  }

  close(): void {
    this.#agent.destroy()
  }
}

function describe(error: Error & { code?: string }): string {
  return error.message || error.code || error.name
}

/** `partial_success.rejected_spans`, or what the other signals have in its place, of the collector's answer. */
export function rejectedItems(contentType: string | undefined, body: Buffer): number {
  try {
    if (contentType?.includes('json')) {
      const { partialSuccess } = JSON.parse(body.toString()) as { partialSuccess?: Record<string, string | number> }
      return Number(partialSuccess?.rejectedSpans ?? partialSuccess?.rejectedDataPoints ?? 0) || 0
    }
    // ExportTraceServiceResponse { partial_success = 1 { rejected_spans = 1 varint } }
    if (body[0] !== 0x0a || body[2] !== 0x08) return 0
    let rejected = 0
    for (let at = 3, scale = 1; at < body.length; at++, scale *= 128) {
      rejected += (body[at]! & 0x7f) * scale
      if (body[at]! < 0x80) break
    }
    return rejected
  } catch {
    return 0
  }
}
