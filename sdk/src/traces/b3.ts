import {
  type Context,
  createContextKey,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { first } from './propagation.ts'

/** A caller that debugs a trace says so to everyone after it. */
const debugKey = createContextKey('shaketable b3 debug')

const single = /^(?<traceId>[0-9a-f]{32}|[0-9a-f]{16})-(?<spanId>[0-9a-f]{16})(?:-(?<state>[01d])(?:-[0-9a-f]{16})?)?$/

interface Identity {
  traceId: string
  spanId: string
  /** `d` for debug; nothing when the decision is left to us. */
  state: string | undefined
}

/** Zipkin's B3 in its one header `b3` or in its several, `x-b3-…`. Both are read, whichever is written. */
export class B3Propagator implements TextMapPropagator {
  readonly #oneHeader: boolean

  constructor(form: 'b3' | 'b3multi') {
    this.#oneHeader = form === 'b3'
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context)
    if (!span || !isSpanContextValid(span)) return
    const debug = context.getValue(debugKey) === true
    const sampled = span.traceFlags & TraceFlags.SAMPLED ? '1' : '0'
    if (this.#oneHeader) {
      setter.set(carrier, 'b3', `${span.traceId}-${span.spanId}-${debug ? 'd' : sampled}`)
      return
    }
    setter.set(carrier, 'x-b3-traceid', span.traceId)
    setter.set(carrier, 'x-b3-spanid', span.spanId)
    if (debug) setter.set(carrier, 'x-b3-flags', '1')
    else setter.set(carrier, 'x-b3-sampled', sampled)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const seen = fromOne(carrier, getter) ?? fromSeveral(carrier, getter)
    if (!seen) return context
    const span = {
      traceId: seen.traceId.padStart(32, '0'),
      spanId: seen.spanId,
      traceFlags: seen.state === '1' || seen.state === 'd' ? TraceFlags.SAMPLED : TraceFlags.NONE,
      isRemote: true,
    }
    if (!isSpanContextValid(span)) return context
    const result = seen.state === 'd' ? context.setValue(debugKey, true) : context
    return trace.setSpanContext(result, span)
  }

  fields(): string[] {
    return this.#oneHeader ? ['b3'] : ['x-b3-traceid', 'x-b3-spanid', 'x-b3-sampled', 'x-b3-flags']
  }
}

function fromOne(carrier: unknown, getter: TextMapGetter): Identity | undefined {
  const match = single.exec(first(getter.get(carrier, 'b3'))?.trim() ?? '')
  return match?.groups as Identity | undefined
}

function fromSeveral(carrier: unknown, getter: TextMapGetter): Identity | undefined {
  const header = (name: string) => first(getter.get(carrier, name))?.trim()
  const traceId = header('x-b3-traceid') ?? ''
  const spanId = header('x-b3-spanid') ?? ''
  if (!/^([0-9a-f]{32}|[0-9a-f]{16})$/.test(traceId) || !/^[0-9a-f]{16}$/.test(spanId)) return undefined
  const sampled = header('x-b3-sampled')?.toLowerCase()
  const state = header('x-b3-flags') === '1' ? 'd' : sampled === 'true' ? '1' : sampled
  return { traceId, spanId, state }
}
