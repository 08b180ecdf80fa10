import http, { type Agent, type IncomingHttpHeaders } from 'node:http'
import type https from 'node:https'
import { gzipSync } from 'node:zlib'
import { untraced } from '../context.ts'
import type { LastMessage } from './last-moment.ts'
import { type Message, pack, unpack } from './message.ts'
import type { OtlpOptions } from './options.ts'
import type { Delivery, ExportDestination } from './queue.ts'

const retryable = new Set([429, 502, 503, 504])

/** How a signal is written as one export request. */
export interface Encoding<Item> {
  json(items: readonly Item[]): Buffer
  protobuf(items: readonly Item[]): Buffer
}

/** The one that the protocol asks for. */
export function encoderOf<Item>({ protocol }: OtlpOptions, { json, protobuf }: Encoding<Item>): Encode<Item> {
  return protocol === 'http/json' ? json : protobuf
}

type Encode<Held> = (items: readonly Held[]) => Buffer

/** Sends batches over OTLP/HTTP, protobuf or JSON. Its own traffic is never traced, and never keeps the process alive. */
export class OtlpExporter<Item, Held = Item> implements ExportDestination<Item, Held> {
  readonly name: string
  readonly hold: ((items: readonly Item[]) => readonly Held[]) | undefined
  readonly #bytesOf: Encode<Held>
  readonly #options: OtlpOptions
  readonly #url: URL
  readonly #transport: typeof http | typeof https
  readonly #agent: Agent
  readonly wire = {
    encode: (items: readonly Held[]) => this.#encode(items),
    post: (message: Message, timeoutMs: number) => this.#post(message, timeoutMs),
    last: (items: readonly Held[]) => this.#last(items),
  }

  constructor(options: OtlpOptions, encode: Encode<Held>, hold?: (items: readonly Item[]) => readonly Held[]) {
    this.#bytesOf = encode
    this.hold = hold
    this.#options = options
    this.#url = new URL(options.endpoint)
    this.name = `OTLP ${options.protocol} to ${this.#url.origin}${this.#url.pathname}`
    // To import it would load all of TLS.
    const secure = this.#url.protocol === 'https:'
    this.#transport = secure ? process.getBuiltinModule('node:https') : http
    this.#agent = new this.#transport.Agent({ keepAlive: true, maxSockets: 1, ...(secure && options.tls) })
  }

  send(items: readonly Held[], timeoutMs: number): Promise<Delivery> {
    return this.#post(this.#encode(items), timeoutMs)
  }

  #encode(items: readonly Held[]): Message {
    return { bytes: this.#bytesOf(items), gzip: false }
  }

  #last(items: readonly Held[]): LastMessage {
    const { bytes } = this.#encode(items)
    const message = this.#zips ? { bytes: gzipSync(bytes), gzip: true } : { bytes, gzip: false }
    const { tls } = this.#options
    return { transport: 'http', url: this.#url.href, headers: this.#headersOf(message), body: message.bytes, tls }
  }

  get #isJson(): boolean {
    return this.#options.protocol === 'http/json'
  }

  get #zips(): boolean {
    return this.#options.compression === 'gzip'
  }

  #headersOf({ bytes, gzip }: Message): Record<string, string> {
    const headers: Record<string, string> = {
      'user-agent': 'shaketable-sdk',
      ...this.#options.headers,
      'content-type': this.#isJson ? 'application/json' : 'application/x-protobuf',
      'content-length': String(bytes.length),
    }
    if (gzip) headers['content-encoding'] = 'gzip'
    return headers
  }

  async #post(given: Message, timeoutMs: number): Promise<Delivery> {
    const message = await (this.#zips ? pack(given) : unpack(given))
    const limit = Math.min(timeoutMs, this.#options.timeoutMs)
    return new Promise(resolve => {
      untraced(() => {
        const headers = this.#headersOf(message)
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
          response.on('end', () =>
            settle(deliveryOf(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))),
          )
        })
        request.end(message.bytes)
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

function deliveryOf(status: number, headers: IncomingHttpHeaders, body: Buffer): Delivery {
  const type = headers['content-type']
  if (status >= 200 && status < 300) {
    if (type?.includes('html')) return { outcome: 'refused', reason: 'it answered with a web page: it takes no OTLP' }
    return { outcome: 'sent', ...partialSuccess(type, body) }
  }
  const reason = `it answered ${status}`
  if (!retryable.has(status)) return { outcome: 'refused', reason }
  return { outcome: 'retry', reason, afterMs: retryAfterMs(headers['retry-after']) }
}

/** `Retry-After` in seconds or as a date. */
export function retryAfterMs(header: string | undefined): number | undefined {
  if (!header) return undefined
  const ms = /^\d+$/.test(header.trim()) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return ms > 0 ? ms : undefined
}

/** The collector's `partial_success`: how many spans, or of the other signals what is in their place, it rejected, and why. */
export function partialSuccess(contentType: string | undefined, body: Buffer): { rejected: number; message?: string } {
  try {
    if (contentType?.includes('json')) {
      const { partialSuccess } = JSON.parse(body.toString()) as { partialSuccess?: Record<string, string | number> }
      const rejected = rejectedIn(partialSuccess) || 0
      const message = partialSuccess?.errorMessage
      return message ? { rejected, message: String(message) } : { rejected }
    }
    return fromProtobuf(body)
  } catch {
    return { rejected: 0 }
  }
}

/** Export…ServiceResponse { partial_success = 1 { rejected_… = 1 varint, error_message = 2 string } } */
function fromProtobuf(body: Buffer): { rejected: number; message?: string } {
  const result: { rejected: number; message?: string } = { rejected: 0 }
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; at < body.length; scale *= 128) {
      const byte = body[at++]!
      value += (byte & 0x7f) * scale
      if (byte < 0x80) break
    }
    return value
  }
  if (varint() !== 0x0a) return result
  const end = Math.min(body.length, varint() + at)
  while (at < end) {
    const tag = varint()
    if (tag === 0x08) result.rejected = varint()
    else if (tag === 0x12) {
      const length = varint()
      result.message = body.toString('utf8', at, at + length)
      at += length
    } else break
  }
  return result
}

function rejectedIn(answer: Record<string, string | number> = {}): number {
  return Number(answer.rejectedSpans ?? answer.rejectedDataPoints ?? answer.rejectedLogRecords ?? 0)
}
