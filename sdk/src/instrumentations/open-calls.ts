import type { Context, Span } from '@opentelemetry/api'
import { spanOf } from '../context.ts'

/**
 * gRPC's calls that are on their way, by the ids of their spans. A call whose channel still connects is written to it later, in
 * whatever context that has: only the trace context among its headers tells then whose it is.
 */
export class OpenCalls {
  readonly #spans = new Map<string, Span[]>()

  /** `context` is the one in which it was made: of the request in whose course it is made. */
  began(span: Span, context: Context): void {
    const within = spanOf(context)
    this.#spans.set(span.spanContext().spanId, within ? [span, within] : [span])
  }

  ended(span: Span): void {
    this.#spans.delete(span.spanContext().spanId)
  }

  /** The span of a call, and the one that it is made within; `undefined` where it is not known. */
  spansOf(spanId: string): readonly Span[] | undefined {
    return this.#spans.get(spanId)
  }
}
