import { type Context, SpanKind } from '@opentelemetry/api'
import { spanOf } from '../context.ts'
import type { RecordedSpan } from '../traces/span.ts'

/** What the service asks of another, and where. */
export interface OpenCall {
  span: RecordedSpan
  /** Of what asks. */
  context: Context
}

/**
 * The calls over HTTP/2, of gRPC, to databases and to brokers that are on their way. What they write, they may write later and in
 * whatever context their connection has: that a fault marks the right one, it is looked up here.
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
   * Whose bytes go to a port of a dependency: what is active or made in this context; on a connection that requests share, and
   * that has a context of its own, what has waited longest for that port; of a client that writes all that waits at once, all of
   * it. Each is told once, so that one on a connection of its own is not taken for another's. Otherwise what was told `before` of
   * the same connection goes on there while it is open; only what `begins` there may be another's that waits.
   */
  written(context: Context, port: number, before: readonly OpenCall[], begins: boolean): readonly OpenCall[] {
    const active = spanOf(context)
    const waiting = [...this.#calls.values()].filter(call => !this.#written.has(call))
    const own = waiting.filter(
      call =>
        active !== undefined &&
        (call.span === active || spanOf(call.context) === active) &&
        (portOf(call.span) ?? port) === port,
    )
    const there = waiting.filter(call => portOf(call.span) === port)
    const together = there.filter(writesTogether)
    const next = begins ? there.filter(({ span }) => span.name !== poolWait).slice(0, 1) : []
    const told = own.length + together.length > 0 ? [...new Set([...own, ...together])] : next
    for (const call of told) this.#written.add(call)
    return told.length > 0 ? told : before.filter(({ span }) => !span.ended)
  }
}

/** What waits in pg's pool writes nothing itself. */
const poolWait = 'pg-pool.connect'

/** Clients of Redis, and those that send messages, write what their requests have asked since the last write. */
function writesTogether({ span: { kind, attributes } }: OpenCall): boolean {
  return kind === SpanKind.PRODUCER || (attributes['db.system.name'] ?? attributes['db.system']) === 'redis'
}

function portOf({ attributes }: RecordedSpan): unknown {
  return attributes['server.port'] ?? attributes['net.peer.port']
}
