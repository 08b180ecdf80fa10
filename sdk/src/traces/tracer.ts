import {
  type Attributes,
  type Context,
  INVALID_SPAN_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  type TracerOptions,
  type TracerProvider,
  type TraceState,
  trace,
} from '@opentelemetry/api'
import { activeContext, contextOf, isUntraced, withContext } from '../context.ts'
import type { Notice } from '../notice.ts'
import type { Scope } from '../resource.ts'
import type { Description } from './description.ts'
import { newSpanId, newTraceId } from './ids.ts'
import type { Decide, Sampler } from './sampler.ts'
import { RecordedSpan, type SpanSink, toMs, validSpanContextOf } from './span.ts'
import type { LocalTrace, Undecided } from './undecided.ts'

/** The HTTP observer's own scope. */
export const httpScope: Scope = { name: '@shaketable/sdk' }

export interface Sampling {
  decide: Decide
  /** The user's own sampler; `decide` stands in when it throws. */
  own?: Sampler | undefined
  /** Where spans go on being recorded that `decide` has left out. */
  undecided?: Undecided | undefined
}

/** The one pipeline: the HTTP observer, the instrumentations and the app all make their spans here. */
export class SpanProvider implements TracerProvider {
  readonly #sink: SpanSink
  readonly #decide: Decide
  readonly #sampler: Sampler | undefined
  readonly #undecided: Undecided | undefined
  readonly #notice: Notice
  readonly #tracers = new Map<string, Tracer>()

  constructor(sink: SpanSink, sampling: Sampling, notice: Notice) {
    this.#sink = sink
    this.#decide = sampling.decide
    this.#sampler = sampling.own
    this.#undecided = sampling.undecided
    this.#notice = notice
  }

  getTracer(name: string, version?: string, options?: TracerOptions): Tracer {
    const key = `${name}@${version ?? ''}:${options?.schemaUrl ?? ''}`
    let tracer = this.#tracers.get(key)
    if (!tracer) {
      const scope: Scope = { name: String(name) }
      if (version !== undefined) scope.version = version
      if (options?.schemaUrl !== undefined) scope.schemaUrl = options.schemaUrl
      tracer = new ScopedTracer(this, scope)
      this.#tracers.set(key, tracer)
    }
    return tracer
  }

  /**
   * Starts a span under the span of `context`; the sampling decision falls before anything else is built. What `describe` says
   * of a request is redacted, and asked for only if the span is recorded.
   */
  start(
    scope: Scope,
    name: string,
    kind: SpanKind,
    context: Context,
    options?: SpanOptions,
    describe?: () => Description,
  ): RecordedSpan {
    const parent = options?.root ? undefined : validSpanContextOf(context)
    const traceId = parent?.traceId ?? newTraceId()
    let traceState: TraceState | undefined = parent?.traceState
    let sampled: boolean
    let added: Readonly<Attributes> | undefined
    const asked = this.#sampler && describe ? { ...options, attributes: describe().attributes() } : options
    const own = this.#askSampler(context, traceId, name, kind, asked)
    if (own) {
      sampled = own.decision === 2
      added = own.attributes
      traceState = own.traceState ?? traceState
    } else {
      sampled = this.#decide(traceId, parent)
    }
    const spanContext: SpanContext = {
      traceId,
      spanId: newSpanId(),
      traceFlags: sampled ? TraceFlags.SAMPLED : TraceFlags.NONE,
    }
    if (traceState) spanContext.traceState = traceState
    const startMs = toMs(options?.startTime)
    const local = sampled || !this.#undecided ? undefined : this.#localTraceOf(this.#undecided, parent && context)
    const description = sampled || local ? describe?.() : undefined
    const given = { name, kind, context: spanContext, parent, scope, startMs, local, description }
    const span = new RecordedSpan(this.#sink, given)
    if (options?.attributes) span.setAttributes(options.attributes)
    if (added) span.setAttributes(added)
    if (options?.links) span.addLinks(options.links)
    return span
  }

  #localTraceOf(undecided: Undecided, context: Context | undefined): LocalTrace {
    const parent = context && trace.getSpan(context)
    return (parent instanceof RecordedSpan && parent.local) || undecided.begin()
  }

  /** A user's own sampler that throws leaves the decision to the configured one. */
  #askSampler(context: Context, traceId: string, name: string, kind: SpanKind, options?: SpanOptions) {
    if (!this.#sampler) return undefined
    const parent = options?.root ? trace.deleteSpan(context) : context
    try {
      return this.#sampler.shouldSample(parent, traceId, name, kind, options?.attributes ?? {}, options?.links ?? [])
    } catch (error) {
      this.#notice(`the span sampler threw: ${String(error)}`)
      return undefined
    }
  }
}

class ScopedTracer implements Tracer {
  readonly #provider: SpanProvider
  readonly #scope: Scope

  constructor(provider: SpanProvider, scope: Scope) {
    this.#provider = provider
    this.#scope = scope
  }

  startSpan(name: string, options: SpanOptions = {}, context: Context = activeContext()): Span {
    if (isUntraced(context)) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT)
    return this.#provider.start(this.#scope, name, options.kind ?? SpanKind.INTERNAL, context, options)
  }

  startActiveSpan<Work extends (span: Span) => unknown>(name: string, work: Work): ReturnType<Work>
  startActiveSpan<Work extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    work: Work,
  ): ReturnType<Work>
  startActiveSpan<Work extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    work: Work,
  ): ReturnType<Work>
  startActiveSpan<Work extends (span: Span) => unknown>(name: string, ...rest: unknown[]): ReturnType<Work> {
    const work = rest.at(-1) as Work
    const options = rest.length > 1 ? (rest[0] as SpanOptions) : {}
    const parent = rest.length > 2 ? (rest[1] as Context) : activeContext()
    const span = this.startSpan(name, options, parent)
    return withContext(contextOf(span, parent), () => work(span) as ReturnType<Work>)
  }
}
