import { untraced } from '../context.ts'
import type { Delivery } from './queue.ts'

/** OpenTelemetry's `SpanExporter`; a user's own one fits as it is. */
export interface SpanExporter {
  // biome-ignore lint/suspicious/noExplicitAny: OpenTelemetry's ReadableSpan of any version
  export(spans: any[], done: (result: { code: number; error?: Error }) => void): void
  shutdown(): Promise<void>
  forceFlush?(): Promise<void>
}

export type Failure = { outcome: 'refused' } | { outcome: 'retry'; afterMs?: number | undefined }

/** A user's own exporter behind our queue: it receives the same spans, untraced. */
export class OwnExporter<Item> {
  readonly name: string
  readonly #exporter: SpanExporter

  constructor(exporter: SpanExporter) {
    this.#exporter = exporter
    this.name = exporter.constructor?.name ?? 'the span exporter'
  }

  /** What becomes of a batch that could not be sent; no error when the time was up. A user's own exporter has the last word. */
  protected outcomeOf(_error: Error | undefined): Failure {
    return { outcome: 'refused' }
  }

  send(items: readonly Item[], timeoutMs: number): Promise<Delivery> {
    return new Promise(resolve => {
      const late = setTimeout(
        () => resolve({ ...this.outcomeOf(undefined), reason: `no result within ${timeoutMs} ms` }),
        timeoutMs,
      )
      late.unref()
      const settle = (delivery: Delivery) => {
        clearTimeout(late)
        resolve(delivery)
      }
      try {
        untraced(() =>
          this.#exporter.export([...items], ({ code, error }) =>
            settle(
              code === 0
                ? { outcome: 'sent', rejected: 0 }
                : { ...this.outcomeOf(error), reason: error?.message ?? 'it reported a failure' },
            ),
          ),
        )
      } catch (error) {
        settle({ outcome: 'refused', reason: String(error) })
      }
    })
  }

  close(): void {
    untraced(() => this.#exporter.shutdown().catch(() => {}))
  }
}
