import type { Context } from '@opentelemetry/api'
import { spanOf } from '../context.ts'
import type { RecordedSpan } from '../traces/span.ts'

/** What the service asks of another, and where. */
export interface OpenCall {
  span: RecordedSpan
  /** Of what asks. */
  context: Context
}

/**
 * The calls over HTTP/2, of gRPC, to databases and to brokers that are on their way. What they write, they may write later and in whatever
 * context their connection has: that a fault marks the right one, it is looked up here.
 */
export class OpenCalls {
  readonly #calls = new Map<string, OpenCall>()
  readonly #written = new WeakSet<OpenCall>()

  began(span: RecordedSpan, context: Context): void {
    this.#calls.set(span.spanContext().spanId, { span, context })
  }

  ended(span: RecordedSpan): void {
    this.#calls.delete(span.spanContext().spanId)
  }

  of(spanId: string): OpenCall | undefined {
    return this.#calls.get(spanId)
  }

  /**
   * Whose bytes go to a port of a dependency in a context: the call that is active in it, or those made in it; each is told
   * once, so that one on a connection of its own is not taken for those of a pipeline.
   */
  written(context: Context, port: number): OpenCall[] {
    const active = spanOf(context)
    if (active === undefined) return []
    const fitting = [...this.#calls.values()].filter(
      call =>
        (call.span === active || spanOf(call.context) === active) &&
        (portOf(call.span) ?? port) === port &&
        !this.#written.has(call),
    )
    for (const call of fitting) this.#written.add(call)
    return fitting
  }
}

function portOf({ attributes }: RecordedSpan): unknown {
  return attributes['server.port'] ?? attributes['net.peer.port']
}
