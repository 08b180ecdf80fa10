import {
  type BaggageEntry,
  baggageEntryMetadataFromString,
  type Context,
  createTraceState,
  isSpanContextValid,
  propagation,
  type SpanContext,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { validSpanContextOf } from './span.ts'

/** The trace flags as two hex digits. */
export function hexByte(flags: number): string {
  return flags === 1 ? '01' : (flags & 0xff).toString(16).padStart(2, '0')
}

/** `traceparent` of a span, version 00. */
export function traceparentOf(span: SpanContext): string {
  return `00-${span.traceId}-${span.spanId}-${hexByte(span.traceFlags)}`
}

const traceparent = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/

/** Reads a `traceparent`; undefined when it is not a valid one (then a new trace begins). */
export function parseTraceparent(header: string): SpanContext | undefined {
  const match = traceparent.exec(header.trim())
  if (!match) return undefined
  const [, version, traceId, spanId, flags, more] = match
  if (version === 'ff' || (version === '00' && more !== undefined)) return undefined
  const context: SpanContext = {
    traceId: traceId!,
    spanId: spanId!,
    traceFlags: Number.parseInt(flags!, 16) & TraceFlags.SAMPLED,
    isRemote: true,
  }
  return isSpanContextValid(context) ? context : undefined
}

/** Percent-encoded; half of a surrogate pair, which has no encoding, becomes U+FFFD. */
function encode(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}

const maxBaggageBytes = 8192
const maxBaggageMembers = 180

/** The `baggage` header of a context; undefined when it carries none. */
export function baggageHeaderOf(context: Context): string | undefined {
  const baggage = propagation.getBaggage(context)
  if (!baggage) return undefined
  let header = ''
  for (const [key, entry] of baggage.getAllEntries().slice(0, maxBaggageMembers)) {
    const metadata = entry.metadata ? `;${entry.metadata.toString()}` : ''
    const member = `${encode(key)}=${encode(entry.value)}${metadata}`
    if (!/^[\t -~]*$/.test(metadata)) continue
    if (header.length + member.length + 1 > maxBaggageBytes) continue
    header = header === '' ? member : `${header},${member}`
  }
  return header === '' ? undefined : header
}

/** Members of a `baggage` header; those that do not parse, or go over its limits, are left out. */
export function parseBaggage(header: string): Record<string, BaggageEntry> {
  const entries: Record<string, BaggageEntry> = Object.create(null)
  // A comma more than fits: a member that is cut off is no member.
  const end = header.length > maxBaggageBytes ? header.lastIndexOf(',', maxBaggageBytes) : header.length
  for (const member of header.slice(0, Math.max(0, end)).split(',', maxBaggageMembers)) {
    const [pair = '', ...metadata] = member.split(';')
    const at = pair.indexOf('=')
    if (at <= 0) continue
    try {
      const entry: BaggageEntry = { value: decodeURIComponent(pair.slice(at + 1).trim()) }
      if (metadata.length > 0) entry.metadata = baggageEntryMetadataFromString(metadata.join(';'))
      entries[decodeURIComponent(pair.slice(0, at).trim())] = entry
    } catch {
      // A member whose percent-encoding is broken is left out, as the specification says.
    }
  }
  return entries
}

/** W3C trace context and baggage, in one pass over the carrier. */
export class W3cPropagator implements TextMapPropagator {
  readonly #tracecontext: boolean
  readonly #baggage: boolean

  constructor(names: readonly string[]) {
    this.#tracecontext = names.includes('tracecontext')
    this.#baggage = names.includes('baggage')
  }

  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = this.#tracecontext ? validSpanContextOf(context) : undefined
    if (span) {
      setter.set(carrier, 'traceparent', traceparentOf(span))
      const state = span.traceState?.serialize()
      if (state) setter.set(carrier, 'tracestate', state)
    }
    const baggage = this.#baggage ? baggageHeaderOf(context) : undefined
    if (baggage) setter.set(carrier, 'baggage', baggage)
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    let result = context
    const parentHeader = this.#tracecontext ? first(getter.get(carrier, 'traceparent')) : undefined
    const parent = parentHeader ? parseTraceparent(parentHeader) : undefined
    if (parent) {
      const state = getter.get(carrier, 'tracestate')
      if (state?.length) parent.traceState = createTraceState(Array.isArray(state) ? state.join(',') : state)
      result = trace.setSpanContext(result, parent)
    }
    const header = this.#baggage ? getter.get(carrier, 'baggage') : undefined
    if (header?.length) {
      const entries = parseBaggage(Array.isArray(header) ? header.join(',') : header)
      if (Object.keys(entries).length > 0) {
        result = propagation.setBaggage(result, propagation.createBaggage(entries))
      }
    }
    return result
  }

  fields(): string[] {
    return [...(this.#tracecontext ? ['traceparent', 'tracestate'] : []), ...(this.#baggage ? ['baggage'] : [])]
  }
}

export function first(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value
}
