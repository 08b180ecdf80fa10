import type { Context } from '@opentelemetry/api'
import { activeContext } from '../context.ts'
import { variable } from '../names.ts'
import type { Notice } from '../notice.ts'
import { type ExportQueue, settledWithin } from '../otlp/queue.ts'
import type { Redaction } from '../redaction.ts'
import type { ServiceResource } from '../resource.ts'
import type { RecordedSpan, SpanLimits, SpanSink } from './span.ts'

/** OpenTelemetry's `SpanProcessor`; a user's own one fits as it is, and sees the same spans. */
export interface SpanProcessor {
  // biome-ignore lint/suspicious/noExplicitAny: OpenTelemetry's Span of any version
  onStart(span: any, parentContext: Context): void
  // biome-ignore lint/suspicious/noExplicitAny: OpenTelemetry's ReadableSpan of any version
  onEnd(span: any): void
  forceFlush(): Promise<void>
  shutdown(): Promise<void>
}

/** Where every ended span goes: the queue, if there is an exporter, and the user's own processors. */
export class SpanPipeline implements SpanSink {
  readonly resource: ServiceResource
  readonly limits: SpanLimits
  readonly redaction: Redaction
  readonly queue: ExportQueue<RecordedSpan> | undefined
  readonly #processors: readonly SpanProcessor[]
  readonly #notice: Notice

  constructor(
    identity: { resource: ServiceResource; limits: SpanLimits; redaction: Redaction },
    queue: ExportQueue<RecordedSpan> | undefined,
    processors: readonly SpanProcessor[],
    notice: Notice,
  ) {
    this.resource = identity.resource
    this.limits = identity.limits
    this.redaction = identity.redaction
    this.queue = queue
    this.#processors = processors
    this.#notice = notice
  }

  get made(): number {
    return this.queue?.made ?? 0
  }

  started(span: RecordedSpan): void {
    for (const processor of this.#processors)
      this.#guard('a span processor threw', () => processor.onStart(span, activeContext()))
  }

  ended(span: RecordedSpan): void {
    for (const processor of this.#processors) this.#guard('a span processor threw', () => processor.onEnd(span))
    this.queue?.add(span)
  }

  /** A span whose local root has brought it in after all. */
  keep(span: RecordedSpan): void {
    span.keep()
    this.ended(span)
  }

  /** A span that was recorded and is not sent: only processors see it. */
  leave(span: RecordedSpan): void {
    for (const processor of this.#processors) this.#guard('a span processor threw', () => processor.onEnd(span))
  }

  /** Spans of a kept local root that found no room while it was undecided. */
  lost(count: number): void {
    this.queue?.lost(count)
    this.#notice(`${variable.undecidedSpans} is too small: ${count} spans of a kept trace were dropped`)
  }

  /** Sends what waits; never longer than the deadline, never rejects. */
  async flush(deadlineMs: number): Promise<void> {
    const all = Promise.allSettled([
      this.queue?.flush(deadlineMs),
      ...this.#processors.map(async processor => processor.forceFlush()),
    ])
    await settledWithin(all, deadlineMs)
  }

  /** The last sending of a process that is going down: blocks, but not when the collector is known to be down. */
  flushBlocking(deadlineMs: number): void {
    this.queue?.flushBlocking(deadlineMs)
  }

  async close(deadlineMs: number): Promise<void> {
    const all = Promise.allSettled([
      this.queue?.close(deadlineMs),
      ...this.#processors.map(async processor => processor.shutdown()),
    ])
    await settledWithin(all, deadlineMs)
  }

  #guard(failure: string, work: () => void): void {
    try {
      work()
    } catch (error) {
      this.#notice(`${failure}: ${String(error)}`)
    }
  }
}
