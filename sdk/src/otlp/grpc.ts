import { subscribe } from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { activeContext, isUntraced } from '../context.ts'
import { partialSuccess } from './http.ts'
import type { LastMessage } from './last-moment.ts'
import { type Message, unpack } from './message.ts'
import type { OtlpOptions } from './options.ts'
import { type Failure, OwnExporter, type SpanExporter } from './own-exporter.ts'
import type { Delivery, ExportDestination } from './queue.ts'
import { retryDelayMs } from './retry-info.ts'

interface Metadata {
  set(name: string, value: string): void
}
type ServiceError = Error & { code?: number; metadata?: { get(name: string): unknown[] } }
interface BaseModule {
  createEmptyMetadata(): Metadata
  createSslCredentials(ca?: Buffer, key?: Buffer, cert?: Buffer): object
  convertLegacyOtlpGrpcOptions(config: object, signal: string): object
  createOtlpGrpcExportDelegate(
    config: object,
    serializer: { serializeRequest(one: Buffer[]): Uint8Array; deserializeResponse(answer: Uint8Array): object },
    component: string,
    helper: { name: string; countItems(one: Buffer[]): number },
    meterProvider: undefined,
    service: string,
    path: string,
  ): SpanExporter
}

/** CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS: as OTLP says. */
const retryable = new Set([1, 4, 10, 11, 14, 15])
/** Only where the server says when: then it will have room again. */
const resourceExhausted = 8

const signals = {
  traces: { name: 'TRACES', item: 'span', service: 'trace.v1.TraceService' },
  logs: { name: 'LOGS', item: 'log', service: 'logs.v1.LogsService' },
  metrics: { name: 'METRICS', item: 'metric_data_point', service: 'metrics.v1.MetricsService' },
} as const

const pathOf = (signal: keyof typeof signals) =>
  `/opentelemetry.proto.collector.${signals[signal].service}/Export` as const

/**
 * Our own messages over the gRPC of OpenTelemetry's exporters, which comes with `@opentelemetry/sdk-node`. This module and
 * what it loads stay unloaded unless the protocol is `grpc`.
 *
 * @throws where gRPC cannot be loaded, or a header is no metadata.
 */
export class GrpcDestination<Item, Held = Item> implements ExportDestination<Item, Held> {
  readonly name: string
  readonly #options: OtlpOptions
  readonly #path: string
  readonly #encode: (items: readonly Held[]) => Buffer
  readonly hold: ((items: readonly Item[]) => readonly Held[]) | undefined
  readonly #calls: Calls
  readonly wire = {
    encode: (items: readonly Held[]): Message => ({ bytes: this.#encode(items), gzip: false }),
    post: async (message: Message, timeoutMs: number) => this.#calls.post((await unpack(message)).bytes, timeoutMs),
    last: (items: readonly Held[]) => this.#last(items),
  }

  constructor(
    options: OtlpOptions,
    signal: keyof typeof signals,
    encode: (items: readonly Held[]) => Buffer,
    hold?: (items: readonly Item[]) => readonly Held[],
  ) {
    this.name = `OTLP grpc to ${new URL(options.endpoint).origin}`
    this.#options = options
    this.#path = pathOf(signal)
    this.#encode = encode
    this.hold = hold
    this.#calls = openCalls(options, signal)
  }

  send(items: readonly Held[], timeoutMs: number): Promise<Delivery> {
    return this.#calls.post(this.#encode(items), timeoutMs)
  }

  close(): void {
    this.#calls.close()
  }

  #last(items: readonly Held[]): LastMessage {
    const message = this.#encode(items)
    const head = Buffer.alloc(5) // Not compressed, and the length.
    head.writeUInt32BE(message.length, 1)
    const { endpoint, tls } = this.#options
    const headers = { ...this.#options.headers, 'content-type': 'application/grpc', te: 'trailers' }
    const url = `${new URL(endpoint).origin}${this.#path}`
    return { transport: 'grpc', url, headers, body: Buffer.concat([head, message]), tls }
  }
}

/** One call after the other, each with a whole message. */
class Calls extends OwnExporter<Buffer> {
  readonly #answer: { last: Uint8Array | undefined }

  constructor(exporter: SpanExporter, answer: { last: Uint8Array | undefined }) {
    super(exporter)
    this.#answer = answer
  }

  async post(message: Buffer, timeoutMs: number): Promise<Delivery> {
    this.#answer.last = undefined
    const delivery = await withTimersUnheld(() => this.send([message], timeoutMs))
    if (delivery.outcome !== 'sent' || !this.#answer.last) return delivery
    return { outcome: 'sent', ...partialSuccess(undefined, Buffer.from(this.#answer.last)) }
  }

  protected override outcomeOf(error: ServiceError | undefined): Failure {
    const code = error?.code
    const [details] = error?.metadata?.get('grpc-status-details-bin') ?? []
    const afterMs = details instanceof Uint8Array ? retryDelayMs(details) : undefined
    const again = code === undefined || retryable.has(code) || (code === resourceExhausted && afterMs !== undefined)
    return again ? { outcome: 'retry', afterMs } : { outcome: 'refused' }
  }
}

function openCalls(options: OtlpOptions, signal: keyof typeof signals): Calls {
  const require = createRequire(createRequire(import.meta.url).resolve('@opentelemetry/sdk-node'))
  const base = require('@opentelemetry/otlp-grpc-exporter-base') as BaseModule
  const { endpoint: url, timeoutMs: timeoutMillis, compression, tls } = options
  const metadata = metadataOf(options.headers, base)
  const credentials = tls && base.createSslCredentials(tls.ca, tls.key, tls.cert)
  const { name, item, service } = signals[signal]
  const answer: { last: Uint8Array | undefined } = { last: undefined }
  leaveSocketsUnheld()
  const delegate = base.createOtlpGrpcExportDelegate(
    base.convertLegacyOtlpGrpcOptions({ url, metadata, timeoutMillis, compression, credentials }, name),
    {
      serializeRequest: ([message]) => message!,
      deserializeResponse(bytes) {
        answer.last = bytes
        return {}
      },
    },
    `otlp_grpc_${item}_exporter`,
    { name: item, countItems: () => 1 },
    undefined,
    service.replace(/.*\./, ''),
    pathOf(signal),
  )
  return new Calls(delegate, answer)
}

function metadataOf(headers: Record<string, string>, base: BaseModule): Metadata {
  const metadata = base.createEmptyMetadata()
  for (const [name, value] of Object.entries(headers)) {
    try {
      metadata.set(name, value)
    } catch {
      // Its own message shows the value, which may be a secret.
      throw new Error(`the header ${name} holds what gRPC cannot send`)
    }
  }
  return metadata
}

/** grpc-js holds the process while a call is open; a collector that does not answer must not delay its end. */
function leaveSocketsUnheld(): void {
  subscribe('net.client.socket', message => {
    if (!isUntraced(activeContext())) return
    const { socket } = message as { socket: Socket }
    socket.unref()
    socket.ref = () => socket
  })
}

/** The timer of a call's deadline is set within the synchronous start of the call, where no code of the app runs. */
function withTimersUnheld<Result>(work: () => Result): Result {
  const original = globalThis.setTimeout
  const unheld = (...args: Parameters<typeof original>) => original(...args).unref()
  globalThis.setTimeout = Object.assign(unheld, { __promisify__: original.__promisify__ }) as typeof original
  try {
    return work()
  } finally {
    globalThis.setTimeout = original
  }
}
