import { random } from '../../random.ts'
import type { Span } from '../observations.ts'
import { quantile } from '../statistics.ts'
import { blockLengthOf } from '../tally.ts'
import { type Call, type CallGraph, edgeName, startsIn } from './calls.ts'

/** What an error that begins at an edge weighs, in ms of a request's time. */
const errorMs = 1000
/** Calls are slow that take longer on their own than this share of those in the baseline. */
const usual = 0.99
const resamples = 500
/** Less than this a request is nobody's fault, in ms. */
const leastHarmMs = 1

/** An edge, and what it did to the requests while the fault lasted, over what it does without. */
export interface Suspect {
  from: string
  to: string
  /** Time of its own beyond the usual, and errors that began here at a second each: ms a request. */
  harmMs: number
  /** Failed calls of the fault phase for which nothing below it is to blame. */
  errors: number
  /** Calls a request, without and with the fault. */
  callsPerRequest: { baseline: number; fault: number }
  /** In so many of 500 resamples of the fault phase's seconds was it the first: a share. */
  confidence: number
}

/**
 * The edges by the harm that they did of their own, the worst first. Of what an edge does only that counts which nothing below it
 * explains: its time without the time of the calls that the callee made, and the errors that began there; both beyond what the
 * same edge does in the baseline. So whoever waits for a slow callee is not to blame, nor who passes an error on.
 */
export function rankEdges(graph: CallGraph, phases: { baseline: Span; fault: Span }, seed: number): Suspect[] {
  const requests = (span: Span) => Math.max(1, graph.entries.filter(startsIn(span)).length)
  const [before, during] = [requests(phases.baseline), requests(phases.fault)]
  const blockMs = blockLengthOf([phases.fault])
  const blocks = Math.max(1, Math.ceil((phases.fault.end - phases.fault.start) / blockMs - 1e-6))
  const blockOf = (at: number) => Math.min(blocks - 1, Math.floor((at - phases.fault.start) / blockMs))
  const measured = [...Map.groupBy(graph.calls, edgeName)].map(([, calls]) => {
    const baseline = calls.filter(startsIn(phases.baseline))
    const fault = calls.filter(startsIn(phases.fault))
    const own = baseline.map(call => call.ownMs).sort((a, b) => a - b)
    const bound = quantile(own, usual) ?? 0
    const harmOf = (call: Call) => Math.max(0, call.ownMs - bound) + (call.originated ? errorMs : 0)
    const usualHarm = baseline.reduce((all, call) => all + harmOf(call), 0) / before
    const byBlock = new Float64Array(blocks)
    for (const call of fault) byBlock[blockOf(call.start)]! += harmOf(call)
    const { from, to } = calls[0]!
    return {
      from,
      to,
      usualHarm,
      byBlock,
      errors: fault.filter(call => call.originated).length,
      callsPerRequest: { baseline: baseline.length / before, fault: fault.length / during },
    }
  })
  const firsts = new Map<object, number>()
  const next = random(seed)
  for (let turn = 0; turn < resamples; turn++) {
    const drawn = Array.from({ length: blocks }, () => Math.floor(next() * blocks))
    const first = measured
      .map(edge => ({
        edge,
        harm: drawn.reduce((all, block) => all + edge.byBlock[block]!, 0) / during - edge.usualHarm,
      }))
      .reduce((a, b) => (b.harm > a.harm ? b : a), { edge: {}, harm: leastHarmMs } as { edge: object; harm: number })
    firsts.set(first.edge, (firsts.get(first.edge) ?? 0) + 1)
  }
  return measured
    .map(edge => ({
      from: edge.from,
      to: edge.to,
      harmMs: Math.max(0, edge.byBlock.reduce((all, harm) => all + harm, 0) / during - edge.usualHarm),
      errors: edge.errors,
      callsPerRequest: edge.callsPerRequest,
      confidence: (firsts.get(edge) ?? 0) / resamples,
    }))
    .sort((a, b) => b.harmMs - a.harmMs)
}

/** The edge that stands out, if one does. */
export function guiltiest(suspects: readonly Suspect[]): Suspect | undefined {
  const [first] = suspects
  return first && first.harmMs > leastHarmMs ? first : undefined
}
