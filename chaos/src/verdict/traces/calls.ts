import type { TraceSpan } from '../../observe/spans.ts'
import type { Span } from '../observations.ts'

/** One call between services, as the caller's span and, where it came, the callee's tell of it. */
export interface Call {
  traceId: string
  /** '' for a call from outside. */
  from: string
  to: string
  start: number
  end: number
  failed: boolean
  /** Its time without the time of the calls that the callee made for it, in ms. */
  ownMs: number
  /** It failed, and none of the callee's own calls explains that. */
  originated: boolean
  /** The caller's span; undefined for a call from outside. */
  client: TraceSpan | undefined
  /** The callee's span; undefined where none came. */
  server: TraceSpan | undefined
  /** The request, or the message, for which the caller made it; undefined for calls of nobody's. */
  owner: TraceSpan | undefined
  /** It was made on the way to the answer of a request from outside, not by work that was put off. */
  forRequest: boolean
}

export interface CallGraph {
  calls: Call[]
  /** Requests from outside, one a trace. */
  entries: TraceSpan[]
  byTrace: Map<string, TraceSpan[]>
}

/** A call was under way when its caller gave up if it ended this close to it, or later, in ms. */
const sameMomentMs = 1

/**
 * All calls that the spans tell of. A callee without a span (it died, it hangs, it has no SDK) is known by its address: from
 * other traces, or from `addresses` (`host:port` -> service).
 */
export function callsOf(spans: readonly TraceSpan[], addresses: ReadonlyMap<string, string> = new Map()): CallGraph {
  const byId = new Map(spans.map(span => [`${span.traceId}${span.spanId}`, span]))
  const parentOf = (span: TraceSpan) => (span.parentId === '' ? undefined : byId.get(span.traceId + span.parentId))
  const serverOf = new Map<TraceSpan, TraceSpan>()
  const learned = new Map(addresses)
  for (const span of spans) {
    const parent = span.kind === 'server' ? parentOf(span) : undefined
    if (parent?.kind !== 'client') continue
    serverOf.set(parent, span)
    if (parent.peer !== undefined) learned.set(parent.peer, span.service)
  }

  const madeFor = new Map<TraceSpan, TraceSpan[]>()
  const ownerOf = new Map<TraceSpan, TraceSpan>()
  for (const span of spans) {
    if (span.kind !== 'client') continue
    const owner = ownerAbove(span, parentOf)
    if (!owner) continue
    ownerOf.set(span, owner)
    madeFor.set(owner, [...(madeFor.get(owner) ?? []), span])
  }
  const entries = spans.filter(span => span.kind === 'server' && span.parentId === '')
  const isForRequest = (span: TraceSpan | undefined): boolean => {
    for (let at = span; at; at = parentOf(at)) {
      if (at.kind === 'consumer') return false
      if (at.kind === 'server' && at.parentId === '') return true
    }
    return false
  }

  const call = (client: TraceSpan | undefined, server: TraceSpan | undefined): Call => {
    const seen = (client ?? server)!
    const { start, end } = seen
    const below = (server && madeFor.get(server)) ?? []
    const failed = hasFailed(seen)
    const explained = below.some(
      each =>
        each.start < end &&
        (hasFailed(each) || each.end >= end - sameMomentMs || each.end - each.start > (end - start) / 2),
    )
    return {
      traceId: seen.traceId,
      from: client?.service ?? '',
      to: server?.service ?? client?.database ?? learned.get(client?.peer ?? '') ?? client?.peer ?? 'somewhere',
      start,
      end,
      failed,
      ownMs: Math.max(0, end - start - coveredMs(below, start, end)),
      originated: failed && !explained,
      client,
      server,
      owner: client && ownerOf.get(client),
      forRequest: isForRequest(seen),
    }
  }
  const byTrace = Map.groupBy(spans, span => span.traceId)
  return {
    calls: [
      ...spans.filter(span => span.kind === 'client').map(client => call(client, serverOf.get(client))),
      ...entries.map(entry => call(undefined, entry)),
    ],
    entries,
    byTrace,
  }
}

/** An error, but not one that the caller has made itself: 4xx is an answer. */
export function hasFailed({ status, error }: TraceSpan): boolean {
  return status >= 500 || (error && status === 0)
}

/** The nearest request or message of the same service above a span. */
function ownerAbove(span: TraceSpan, parentOf: (span: TraceSpan) => TraceSpan | undefined): TraceSpan | undefined {
  let at = parentOf(span)
  while (at && at.kind !== 'server' && at.kind !== 'consumer') at = parentOf(at)
  return at
}

/** How much of a stretch of time these spans cover together. */
function coveredMs(spans: readonly TraceSpan[], start: number, end: number): number {
  let covered = 0
  let until = start
  for (const span of [...spans].sort((a, b) => a.start - b.start)) {
    const from = Math.max(until, span.start)
    const to = Math.min(end, span.end)
    if (to > from) covered += to - from
    until = Math.max(until, to)
  }
  return covered
}

/** `orders → payments`, `→ gateway` for a call from outside. */
export function edgeName({ from, to }: { from: string; to: string }): string {
  return from === '' ? `→ ${to}` : `${from} → ${to}`
}

export const startsIn =
  (span: Span) =>
  ({ start }: { start: number }): boolean =>
    start >= span.start && start < span.end
