import { random } from '../../random.ts'
import type { Span } from '../observations.ts'
import type { Interval } from '../statistics.ts'
import { blockLengthOf } from '../tally.ts'
import { type CallGraph, edgeName, startsIn } from './calls.ts'

const resamples = 500
/** Fewer calls in the baseline than this say nothing about how many a request takes. */
const leastCalls = 20

/** How many times as many calls a request takes at an edge while the fault lasts. */
export interface Amplification {
  from: string
  to: string
  times: number
  /** 95 %, by resampling the seconds of the fault phase. */
  interval: Interval
}

/** Of every edge below the entry: the calls on the way to an answer, in the fault phase against the baseline; the greatest first. */
export function amplifications(
  graph: CallGraph,
  phases: { baseline: Span; fault: Span },
  seed: number,
): Amplification[] {
  const entryOf = new Map(graph.entries.map(entry => [entry.traceId, entry]))
  const blockMs = blockLengthOf([phases.fault])
  const blocks = Math.max(1, Math.ceil((phases.fault.end - phases.fault.start) / blockMs - 1e-6))
  const blockOf = (at: number) => Math.min(blocks - 1, Math.floor((at - phases.fault.start) / blockMs))
  const requestsBy = new Float64Array(blocks)
  for (const { start } of graph.entries.filter(startsIn(phases.fault))) requestsBy[blockOf(start)]!++
  const before = graph.entries.filter(startsIn(phases.baseline)).length
  const next = random(seed)
  const drawn = Array.from({ length: resamples }, () =>
    Array.from({ length: blocks }, () => Math.floor(next() * blocks)),
  )
  const inner = graph.calls.filter(call => call.client && call.forRequest)
  return [...Map.groupBy(inner, edgeName).values()]
    .flatMap(calls => {
      // A call belongs to the moment of its request, however late it comes.
      const requested = calls.flatMap(({ traceId }) => entryOf.get(traceId) ?? [])
      const usual = requested.filter(startsIn(phases.baseline)).length
      if (usual < leastCalls) return []
      const callsBy = new Float64Array(blocks)
      for (const { start } of requested.filter(startsIn(phases.fault))) callsBy[blockOf(start)]!++
      const timesOf = (indices: Iterable<number>) => {
        let [calls, requests] = [0, 0]
        for (const index of indices) {
          calls += callsBy[index]!
          requests += requestsBy[index]!
        }
        return requests === 0 ? 0 : calls / requests / (usual / before)
      }
      const spread = drawn.map(timesOf).sort((a, b) => a - b)
      const { from, to } = calls[0]!
      const interval: Interval = [spread[Math.floor(resamples * 0.025)]!, spread[Math.ceil(resamples * 0.975) - 1]!]
      return [{ from, to, times: timesOf(callsBy.keys()), interval }]
    })
    .sort((a, b) => b.times - a.times)
}
