import {
  type Attributes,
  type Context,
  type Link,
  type SpanContext,
  type SpanKind,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api'

/** What OpenTelemetry's `Sampler` looks like; a user's own one fits as it is. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): { decision: number; attributes?: Readonly<Attributes>; traceState?: TraceState | undefined }
}

export const samplerNames = [
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'errors_and_slow',
] as const
export type SamplerName = (typeof samplerNames)[number]

/** Decides before anything is built: true when the span is recorded and sent. */
export type Decide = (traceId: string, parent: SpanContext | undefined) => boolean

/** The samplers of `OTEL_TRACES_SAMPLER`; `ratio` is `OTEL_TRACES_SAMPLER_ARG`, 0 to 1. */
export function samplerOf(name: SamplerName, ratio: number): Decide {
  // What its ratio leaves out waits for its local root (undecided.ts).
  if (name === 'errors_and_slow') return samplerOf('parentbased_traceidratio', ratio)
  const parentBased = name.startsWith('parentbased_')
  const own = rootSampler(parentBased ? name.slice('parentbased_'.length) : name, ratio)
  if (!parentBased) return own
  return (traceId, parent) => (parent ? (parent.traceFlags & TraceFlags.SAMPLED) !== 0 : own(traceId, parent))
}

function rootSampler(name: string, ratio: number): Decide {
  if (name === 'always_off') return () => false
  if (name === 'always_on') return () => true
  const bound = Math.floor(ratio * 0xffffffff)
  // The same fold as OpenTelemetry's own sampler, so that mixed services agree on a trace.
  return traceId => {
    let folded = 0
    for (let at = 0; at < 32; at += 8) folded = (folded ^ Number.parseInt(traceId.slice(at, at + 8), 16)) >>> 0
    return folded < bound || ratio >= 1
  }
}
