import {
  type Context,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Span,
  SpanKind,
  type SpanOptions,
  type TimeInput,
  type Tracer,
  type TracerProvider,
  trace,
} from '@opentelemetry/api'
import { activeContext, isUntraced, withContext } from '../context.ts'
import type { LibraryMetrics } from '../metrics/library-metrics.ts'
import type { Scope } from '../resource.ts'
import { RecordedSpan, type SpanSink } from '../traces/span.ts'
import type { SpanProvider } from '../traces/tracer.ts'
import type { OpenCalls } from './open-calls.ts'

/** Tracers for the official instrumentations: each of their spans is measured as it ends. */
export class MeasuredTracers implements TracerProvider {
  readonly #provider: SpanProvider
  readonly #sink: SpanSink
  readonly #metrics: LibraryMetrics
  readonly #calls: OpenCalls | undefined

  /** `calls` is told of what goes out, where somebody wants to know. */
  constructor(provider: SpanProvider, sink: SpanSink, metrics: LibraryMetrics, calls?: OpenCalls) {
    this.#provider = provider
    this.#sink = sink
    this.#metrics = metrics
    this.#calls = calls
  }

  getTracer(name: string, version?: string): Tracer {
    return this.#tracer(name, version, (scope, spanName, kind, context, options) =>
      this.#provider.start(scope, spanName, kind, context, options),
    )
  }

  /** For databases: what the app asks outside of any span, such as polling, is measured and makes no trace. */
  readonly withinTraces: TracerProvider = {
    getTracer: (name, version) =>
      this.#tracer(name, version, (scope, spanName, kind, context, options) => {
        const parent = trace.getSpanContext(context)
        if (parent && isSpanContextValid(parent)) {
          return this.#provider.start(scope, spanName, kind, context, options)
        }
        // Its context is no parent: what runs within it may begin traces of its own.
        const start = { name: spanName, kind, context: INVALID_SPAN_CONTEXT, parent: undefined, scope }
        const span = new RecordedSpan(this.#sink, start)
        return options.attributes ? span.setAttributes(options.attributes) : span
      }),
  }

  #tracer(name: string, version: string | undefined, start: Start): Tracer {
    const scope: Scope = version === undefined ? { name } : { name, version }
    const startSpan = (spanName: string, options: SpanOptions = {}, context: Context = activeContext()): Span => {
      if (isUntraced(context)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
      const kind = options.kind ?? SpanKind.INTERNAL
      const span = start(scope, spanName, kind, context, options)
      if (kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER) this.#calls?.began(span, context)
      span.end = (time?: TimeInput) => {
        if (span.ended) return
        this.#calls?.ended(span)
        RecordedSpan.prototype.end.call(span, time)
        this.#metrics.measure(span)
      }
      return span
    }
    // biome-ignore lint/suspicious/noExplicitAny: three overloads of the API
    const startActiveSpan = (spanName: string, ...rest: any[]) => {
      const work = rest.pop() as (span: Span) => unknown
      const [options, context = activeContext()] = rest as [SpanOptions?, Context?]
      const span = startSpan(spanName, options, context)
      return withContext(trace.setSpan(context, span), () => work(span))
    }
    return { startSpan, startActiveSpan } as Tracer
  }
}

type Start = (scope: Scope, name: string, kind: SpanKind, context: Context, options: SpanOptions) => RecordedSpan
