import type { Objective } from '@shaketable/slo'
import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { Span } from './observations.ts'
import { targetOf } from './soundness.ts'
import { deviationsAt, looks } from './spending.ts'
import { type Block, clusteredInterval } from './statistics.ts'
import { blockLengthOf, blocksOf, enoughMs, eventsOf } from './tally.ts'

/** An answer is known this long after it came, in ms. */
const batchMs = 250

/**
 * Whether the verdict is sure by what was seen of the fault phase so far: every objective surely holds in it, or one fails even
 * if not one request of the rest does. Only the first takes it for granted that the rest would be like it.
 */
export function isSure(experiment: Experiment, samples: readonly LoadSample[], seen: Span, look: number): boolean {
  const { hold } = experiment.expect
  if (fallen(experiment, samples, seen, look).size > 0) return true
  return (
    hold.length > 0 &&
    hold.every(held => {
      const [low] = clusteredInterval(strataOf(held, experiment, samples, seen), deviationsAt(look))
      return low >= targetOf(held.name, held.target, experiment.expect)
    })
  )
}

/** The objectives that fail by this look, whatever comes after it. */
export function fallen(experiment: Experiment, samples: readonly LoadSample[], seen: Span, look: number): Set<string> {
  const { hold } = experiment.expect
  const seenShare = shareOfPlan(experiment, seen.end - seen.start)
  // Half of what a look may miss is left for the run that it ends: that is judged once more, with its recovery.
  const deviations = deviationsAt(look, 2 * hold.length)
  const found = hold.filter(held => {
    const best = bestOfPlan(strataOf(held, experiment, samples, seen), deviations, seenShare)
    return best < targetOf(held.name, held.target, experiment.expect)
  })
  return new Set(found.map(({ name }) => name))
}

function strataOf(objective: Objective, experiment: Experiment, samples: readonly LoadSample[], seen: Span): Block[][] {
  return [blocksOf(eventsOf(objective, experiment, samples), seen, blockLengthOf([seen]))]
}

/** The share of the planned fault and recovery phases that so many ms are. */
export function shareOfPlan({ phases }: Experiment, ms: number): number {
  return Math.min(1, ms / (phases.faultMs + phases.recoveryMs))
}

/** The ratio that the planned run surely stays under: all of what was not seen might have been good. */
export function bestOfPlan(strata: readonly (readonly Block[])[], deviations: number, seenShare: number): number {
  const [, high] = clusteredInterval(strata, deviations)
  return seenShare * high + (1 - seenShare)
}

/** What is seen of a fault phase by a look: each quarter is one. */
export function seenBy(look: number, { phases }: Pick<Experiment, 'phases'>, { start }: Pick<Span, 'start'>): Span {
  return { start, end: start + (phases.faultMs * look) / looks }
}

/**
 * The looks at a fault phase, and when each can be made: once the last request that it judges has been answered or given up,
 * or slow answers would be missing. None at so little that it does not tell how errors cluster, or once the phase is over.
 */
export function looksAt(
  experiment: Pick<Experiment, 'load' | 'phases'>,
  fault: Pick<Span, 'start'>,
): { look: number; seen: Span; at: number }[] {
  const settleMs = Math.max(...experiment.load.map(({ timeoutMs }) => timeoutMs)) + batchMs
  return Array.from({ length: looks - 1 }, (_, index) => {
    const seen = seenBy(index + 1, experiment, fault)
    return { look: index + 1, seen, at: seen.end + settleMs }
  }).filter(({ seen, at }) => seen.end - seen.start >= enoughMs && at < fault.start + experiment.phases.faultMs)
}
