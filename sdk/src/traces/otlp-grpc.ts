import { subscribe } from 'node:diagnostics_channel'
import { createRequire } from 'node:module'
import type { Socket } from 'node:net'
import { activeContext, isUntraced } from '../context.ts'
import type { OtlpOptions } from '../options.ts'
import { OwnExporter, type SpanExporter } from './destinations.ts'
import type { LastMessage } from './last-moment.ts'
import { encodeProtobuf } from './otlp-protobuf.ts'
import type { Delivery, SpanDestination } from './queue.ts'
import type { RecordedSpan } from './span.ts'

interface Metadata {
  set(name: string, value: string): void
}
interface ExporterModule {
  OTLPTraceExporter: new (config: object) => SpanExporter
}
interface BaseModule {
  createEmptyMetadata(): Metadata
}

/** CANCELLED, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS: as OTLP says. */
const retryable = new Set([1, 4, 8, 10, 11, 14, 15])

const exportPath = '/opentelemetry.proto.collector.trace.v1.TraceService/Export'

/**
 * OTLP over gRPC by OpenTelemetry's own exporter, which comes with `@opentelemetry/sdk-node`. This module and what it
 * loads stay unloaded unless the protocol is `grpc`. Throws when the exporter cannot be loaded or a header is no metadata.
 */
export function openGrpcExporter(options: OtlpOptions): SpanDestination {
  return openGrpc(options, (require, config) => {
    const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-grpc') as ExporterModule
    return new SpansOverGrpc(new OTLPTraceExporter(config), options)
  })
}

/** Makes a destination of what `make` takes from the modules of `@opentelemetry/sdk-node`. */
export function openGrpc<Destination>(
  options: OtlpOptions,
  make: (require: NodeJS.Require, config: object) => Destination,
): Destination {
  const require = createRequire(createRequire(import.meta.url).resolve('@opentelemetry/sdk-node'))
  const { createEmptyMetadata } = require('@opentelemetry/otlp-grpc-exporter-base') as BaseModule
  const metadata = createEmptyMetadata()
  for (const [name, value] of Object.entries(options.headers)) {
    try {
      metadata.set(name, value)
    } catch {
      // Its own message shows the value, which may be a secret.
      throw new Error(`the header ${name} holds what gRPC cannot send`)
    }
  }
  leaveSocketsUnheld()
  const { endpoint: url, timeoutMs: timeoutMillis, compression } = options
  return make(require, { url, metadata, timeoutMillis, compression })
}

export class GrpcDestination<Item> extends OwnExporter<Item> {
  override readonly name: string

  constructor(exporter: SpanExporter, options: OtlpOptions) {
    super(exporter)
    this.name = `OTLP grpc to ${new URL(options.endpoint).origin}`
  }

  override send(items: readonly Item[], timeoutMs: number): Promise<Delivery> {
    return withTimersUnheld(() => super.send(items, timeoutMs))
  }

  protected override outcomeOf(error: (Error & { code?: number }) | undefined): 'retry' | 'refused' {
    return error?.code === undefined || retryable.has(error.code) ? 'retry' : 'refused'
  }
}

class SpansOverGrpc extends GrpcDestination<RecordedSpan> {
  readonly #options: OtlpOptions

  constructor(exporter: SpanExporter, options: OtlpOptions) {
    super(exporter, options)
    this.#options = options
  }

  encode(spans: readonly RecordedSpan[]): LastMessage {
    const message = encodeProtobuf(spans)
    const head = Buffer.alloc(5) // Not compressed, and the length.
    head.writeUInt32BE(message.length, 1)
    const { origin } = new URL(this.#options.endpoint)
    const headers = { ...this.#options.headers, 'content-type': 'application/grpc', te: 'trailers' }
    return { transport: 'grpc', url: `${origin}${exportPath}`, headers, body: Buffer.concat([head, message]) }
  }
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
