import type { TraceSpan } from '../../observe/spans.ts'
import type { Span } from '../observations.ts'
import type { Suspect } from './blame.ts'
import { type CallGraph, hasFailed, startsIn } from './calls.ts'

/** All spans of one request each. */
export interface Examples {
  /** A typical request that the fault made bad; undefined: none was. */
  struck: TraceSpan[] | undefined
  /** One of the same kind, without the fault. */
  healthy: TraceSpan[] | undefined
}

/**
 * Of the failed requests of the fault phase the one of middle length; where none failed, of those in which the guiltiest edge did
 * harm. Beside it the one of middle length that asked for the same in the baseline.
 */
export function examplesOf(
  graph: CallGraph,
  phases: { baseline: Span; fault: Span },
  guilty: Suspect | undefined,
): Examples {
  const entries = graph.entries.filter(startsIn(phases.fault))
  const failed = entries.filter(hasFailed)
  const harmed = guilty ? harmedBy(guilty, graph, phases.fault) : new Set<string>()
  const struck = middle(failed.length > 0 ? failed : entries.filter(({ traceId }) => harmed.has(traceId)))
  const alike = graph.entries
    .filter(startsIn(phases.baseline))
    .filter(entry => !hasFailed(entry) && (!struck || (entry.name === struck.name && entry.service === struck.service)))
  const wholeTrace = (entry: TraceSpan | undefined) => entry && graph.byTrace.get(entry.traceId)
  return { struck: wholeTrace(struck), healthy: wholeTrace(middle(alike)) }
}

/** The traces in which an error began at the edge; where none did, those of the slower half of its calls. */
function harmedBy({ from, to }: Suspect, { calls }: CallGraph, fault: Span): Set<string> {
  const ofEdge = calls.filter(call => call.from === from && call.to === to).filter(startsIn(fault))
  const failed = ofEdge.filter(call => call.originated)
  const slower = [...ofEdge].sort((a, b) => b.ownMs - a.ownMs).slice(0, Math.ceil(ofEdge.length / 2))
  return new Set((failed.length > 0 ? failed : slower).map(call => call.traceId))
}

function middle(spans: readonly TraceSpan[]): TraceSpan | undefined {
  const sorted = [...spans].sort((a, b) => a.end - a.start - (b.end - b.start))
  return sorted[Math.floor((sorted.length - 1) / 2)]
}
