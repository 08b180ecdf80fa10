import { context, propagation, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'

/** The trace context of what is going on, to be stored where work waits; undefined without the SDK. */
export function traceparent(): string | undefined {
  const carrier: Record<string, string> = {}
  propagation.inject(context.active(), carrier)
  return carrier.traceparent
}

/** Does stored work in a span of the trace that it came from. */
export function inTraceOf<T>(stored: string | null, name: string, work: () => Promise<T>): Promise<T> {
  const parent = propagation.extract(context.active(), stored ? { traceparent: stored } : {})
  return trace.getTracer('shop').startActiveSpan(name, { kind: SpanKind.CONSUMER }, parent, async span => {
    try {
      return await work()
    } catch (error) {
      span.recordException(error as Error)
      span.setStatus({ code: SpanStatusCode.ERROR })
      throw error
    } finally {
      span.end()
    }
  })
}
