import { inspect } from 'node:util'
import type { Delivery, ExportDestination } from '../otlp/queue.ts'
import type { RecordedSpan } from './span.ts'

/** `OTEL_TRACES_EXPORTER=console`: for trying things out, one inspected object a span on stdout. */
export class ConsoleDestination implements ExportDestination<RecordedSpan, RecordedSpan> {
  readonly name = 'the console'

  async send(spans: readonly RecordedSpan[]): Promise<Delivery> {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext()
      const { name, kind, attributes, status, events, links } = span
      const parentSpanId = span.parentSpanContext?.spanId
      const shown = { name, kind, traceId, spanId, parentSpanId, durationMs: span.endMs - span.startMs }
      process.stdout.write(`${inspect({ ...shown, attributes, status, events, links }, { depth: 4 })}\n`)
    }
    return { outcome: 'sent', rejected: 0 }
  }

  close(): void {}
}
