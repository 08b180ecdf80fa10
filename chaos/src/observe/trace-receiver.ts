import { randomBytes } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import type { Clock } from '../world.ts'
import { listenOn } from './listen.ts'
import { spansFromJson } from './otlp-json.ts'
import { spansFromProtobuf } from './otlp-protobuf.ts'
import { spanOf, type TraceSpan } from './spans.ts'

/**
 * More are not kept (each takes some 350 bytes): where more come, whole traces are left out, by a hash of their ids. Never by what
 * they tell: of failed requests kept and healthy ones left out no rate could be told any more.
 */
const mostSpans = 50_000
const mostBytes = 16 * 1024 * 1024
const forwardTimeoutMs = 5000

/** What came since the last `begin`. */
export interface ReceivedTraces {
  spans: TraceSpan[]
  /** Of all traces, the share that was kept; 1 unless they were too many. */
  keptShare: number
}

/** Where any service, or a collector, may send to; metrics and logs are taken and not kept, so that nobody is refused. */
const openPath = '/v1/traces'
const unkeptPaths = ['/v1/metrics', '/v1/logs']

export interface ReceiverOptions {
  /** `[HOST:]PORT` for services that shaketable has not started, which cannot be told a path of their own. */
  listen?: string | undefined
  mostSpans?: number
}

/** Takes the spans of services over OTLP/HTTP (JSON or protobuf): of those that shaketable starts on loopback. */
export class TraceReceiver {
  #spans: TraceSpan[] = []
  /** A trace is kept whose hash is under this, of 2³². */
  #keepUnder = 2 ** 32
  readonly #clock: Clock
  readonly #mostSpans: number
  /** Where it listens. */
  #url = ''
  readonly #forwards = new Map<string, string | undefined>()
  readonly #server = createServer((request, response) => void this.#take(request, response))
  #epochToClock = 0

  private constructor(clock: Clock, most: number) {
    this.#clock = clock
    this.#mostSpans = most
  }

  /** Rejects with `SHAKETABLE_ADDRESS_TAKEN`. */
  static async start(
    clock: Clock,
    { listen, mostSpans: most = mostSpans }: ReceiverOptions = {},
  ): Promise<TraceReceiver> {
    const receiver = new TraceReceiver(clock, most)
    if (listen !== undefined) receiver.#forwards.set(openPath, undefined)
    receiver.#url = await listenOn(receiver.#server, listen ?? '0', '--otlp-listen')
    // A run that ends badly is not held up by it.
    receiver.#server.unref()
    return receiver
  }

  /** Where a service sends its spans: a path that nobody can guess. What comes there is sent on to `forwardTo` as it is. */
  urlFor(forwardTo?: string): string {
    const path = `/${randomBytes(12).toString('hex')}/v1/traces`
    this.#forwards.set(path, forwardTo)
    return this.#url + path
  }

  /** Where everybody may send to; `undefined` unless it was told to listen. */
  get openUrl(): string | undefined {
    return this.#forwards.has(openPath) ? this.#url + openPath : undefined
  }

  /** Forgets what has come. */
  begin(): void {
    this.#spans = []
    this.#keepUnder = 2 ** 32
    this.#epochToClock = this.#clock.now() - this.#clock.wall()
  }

  get hasSpans(): boolean {
    return this.#spans.length > 0
  }

  received(): ReceivedTraces {
    return { spans: [...this.#spans], keptShare: this.#keepUnder / 2 ** 32 }
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise(resolve => this.#server.close(resolve))
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url ?? ''
    const isUnkept = this.#forwards.has(openPath) && unkeptPaths.includes(path)
    if (request.method !== 'POST' || !(isUnkept || this.#forwards.has(path))) return void response.writeHead(404).end()
    try {
      const raw = await bodyOf(request)
      const body =
        request.headers['content-encoding'] === 'gzip'
          ? await promisify(gunzip)(raw, { maxOutputLength: mostBytes })
          : raw
      const isJson = request.headers['content-type']?.includes('json') ?? false
      const spans = isUnkept ? [] : isJson ? spansFromJson(body.toString()) : spansFromProtobuf(body)
      for (const { resource, span } of spans) this.#keep(spanOf(span, resource, this.#epochToClock))
      response.writeHead(200, { 'content-type': request.headers['content-type'] ?? 'application/json' })
      response.end(isJson ? '{}' : undefined)
      const forwardTo = this.#forwards.get(path)
      if (forwardTo) forward(forwardTo, request, raw)
    } catch (error) {
      if (!response.headersSent) response.writeHead(400).end((error as Error).message)
    }
  }

  #keep(span: TraceSpan): void {
    if (hashOf(span.traceId) >= this.#keepUnder) return
    this.#spans.push(span)
    while (this.#spans.length > this.#mostSpans) {
      this.#keepUnder /= 2
      this.#spans = this.#spans.filter(({ traceId }) => hashOf(traceId) < this.#keepUnder)
    }
  }
}

/** The last 32 bits of a trace id, which are random (W3C Trace Context, level 2). */
function hashOf(traceId: string): number {
  return Number.parseInt(traceId.slice(-8), 16)
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request) {
    length += (chunk as Buffer).length
    if (length > mostBytes) throw new Error(`over ${mostBytes} bytes`)
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

/** The user's own collector gets what it would have got; that it does not take it is between the two. */
function forward(to: string, { headers }: IncomingMessage, body: Buffer): void {
  const { host: _, connection: __, 'content-length': ___, 'transfer-encoding': ____, ...kept } = headers
  const signal = AbortSignal.timeout(forwardTimeoutMs)
  fetch(to, { method: 'POST', headers: kept as Record<string, string>, body: new Uint8Array(body), signal })
    .then(response => response.arrayBuffer())
    .catch(() => {})
}
