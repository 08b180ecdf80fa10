import { duration } from '../faults/words.ts'
import { deriveSeed } from '../random.ts'
import type { AftermathReport } from '../report/model.ts'
import type { Observations, Span } from './observations.ts'
import { percent } from './percent.ts'
import { differenceInterval, quantileEstimate } from './quantiles.ts'
import { type Recovery, steadyState } from './recovery.ts'
import { clusteredInterval, sum } from './statistics.ts'
import { blockLengthOf, blocksOf, type Event, within } from './tally.ts'
import { amplifications } from './traces/amplification.ts'
import { edgeName } from './traces/calls.ts'
import type { TraceEvidence } from './traces/judge-traces.ts'

/** It clears up by itself where the second half of the recovery phase has less than this share of the bad requests of the first. */
const clearingShare = 0.5
/** An edge is told of that still takes surely this many times its usual calls. */
const amplified = 1.2
/** A median is not back that is surely so many times that of the baseline, and so many ms more. */
const slower = 1.5
const slowerMs = 5

/**
 * How the system came out of its fault. Metastable: the fault is undone, every instance is up, the load is what it was, and the
 * system stays bad by itself (Bronson et al., "Metastable failures in distributed systems", HotOS 2021).
 */
export function aftermathOf(
  seen: Observations,
  events: ReadonlyMap<string, Event[]>,
  recovered: Recovery | undefined,
  evidence: TraceEvidence | undefined,
): AftermathReport | null {
  const { phases, faults } = seen
  const { recovery } = phases
  if (!recovery || !recovered || faults.length === 0 || seen.breach || seen.aborted !== undefined) return null
  const middle = (recovery.start + recovery.end) / 2
  const halves = [
    { start: recovery.start, end: middle },
    { start: middle, end: recovery.end },
  ] as const
  const last = `in the last ${duration(Math.round(recovery.end - middle))} of the recovery phase`
  if (recovered.recoveredMs !== null) {
    const slow = slowerThanBefore(seen, halves[1])
    return slow
      ? { state: 'slower', text: `the steady state is back, but not the latency: ${slow} ${last}` }
      : { state: 'recovered', text: `the steady state was back after ${duration(recovered.recoveredMs)}` }
  }
  const armed = faults.filter(({ armedAt, undoneAt }) => armedAt !== undefined && undoneAt === undefined)
  if (armed.length > 0) return { state: 'unknown', text: `${armed.map(({ id }) => id).join(', ')} was never undone` }
  const down = stillDown(seen)
  if (down.length > 0) return { state: 'down', text: `${down.join(', ')} had not come back by the end of the run` }

  const [early, late, before] = [...halves, phases.baseline].map(span => badIn(span, seen, events))
  if (!early || !late || !before || !late.surely) {
    return { state: 'unknown', text: `not recovered, and too little was seen ${last} to tell why` }
  }
  if (late.ratio < clearingShare * early.ratio) {
    return {
      state: 'clearing',
      text: `still clearing up: ${percent(early.ratio)} of the requests were bad in the first half of the recovery phase and ${percent(late.ratio)} in the second; a longer one would tell when it is over`,
    }
  }
  const rates = seen.load.map(({ ratePerSecond }) => `${ratePerSecond}/s`).join(' and ')
  const medians = [phases.baseline, halves[1]].map(span => median(seen, span))
  const wait = medians.every(each => each !== null)
    ? `, at a median of ${duration(Math.round(medians[1]!.ms))} (baseline ${duration(Math.round(medians[0]!.ms))})`
    : ''
  const still = amplifiedIn(halves[1], seen, evidence)
  return {
    state: 'metastable',
    text: `metastable: the fault is undone, every instance is up and the load is still ${rates}, and yet ${percent(late.ratio)} of the requests were bad ${last} (baseline ${percent(before.ratio)})${wait}${still ? `. ${still}, which keeps it down` : ''}. It does not come back by itself: take load off it, or restart what retries`,
  }
}

/** Of the steady state's requests: how many were bad, and whether that is surely more than the target allows. */
function badIn(
  span: Span,
  { experiment }: Observations,
  events: ReadonlyMap<string, Event[]>,
): { ratio: number; surely: boolean } | undefined {
  const held = steadyState(experiment, name => events.get(name) ?? []).map(({ events, target }) => {
    const blocks = blocksOf(events, span, blockLengthOf([span]))
    const { good, total } = sum(blocks)
    return { total, ratio: total === 0 ? 0 : 1 - good / total, surely: clusteredInterval([blocks])[1] < target }
  })
  return held.filter(({ total }) => total > 0).sort((a, b) => b.ratio - a.ratio)[0]
}

/** Whose last word is that it went away. */
function stillDown({ instanceEvents }: Observations): string[] {
  const last = new Map(instanceEvents.map(event => [event.instance, event.kind]))
  return [...last].filter(([, kind]) => kind === 'exited' || kind === 'frozen').map(([instance]) => instance)
}

function median({ samples }: Observations, span: Span) {
  const blockMs = blockLengthOf([span])
  const timed = samples
    .filter(within(span))
    .map(({ at, latencyMs }) => ({ block: Math.floor((at - span.start) / blockMs), latencyMs }))
  return quantileEstimate(timed, 0.5)
}

function slowerThanBefore(seen: Observations, late: Span): string | undefined {
  const [before, after] = [median(seen, seen.phases.baseline), median(seen, late)]
  if (!before || !after) return undefined
  const valued = ({ ms, interval }: typeof before) => ({ value: ms, interval })
  const [low] = differenceInterval(valued(after), valued(before))
  if (low === null || low < slowerMs || low < (slower - 1) * before.ms) return undefined
  return `a median of ${duration(Math.round(after.ms))} (baseline ${duration(Math.round(before.ms))})`
}

/** The edge that still takes more calls a request than it does in the baseline, in words. */
function amplifiedIn(
  late: Span,
  { phases, seed }: Observations,
  evidence: TraceEvidence | undefined,
): string | undefined {
  if (!evidence) return undefined
  const spans = { baseline: phases.baseline, fault: late }
  const worst = amplifications(evidence.graph, spans, deriveSeed(seed, 'aftermath')).find(
    ({ interval }) => interval[0] > amplified,
  )
  return worst && `${edgeName(worst)} still took ${worst.times.toFixed(1)} times its usual calls a request`
}
