import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { Span } from '../verdict/observations.ts'
import { isSure, looksAt } from '../verdict/sure.ts'
import type { Clock } from '../world.ts'

/**
 * Waits for the end of the fault phase, or until a look at it finds the verdict sure: resolves with that look, or `undefined`.
 * `isArmed`: every fault is; before that there is nothing to be sure of.
 */
export async function untilSure(
  experiment: Experiment,
  fault: Span,
  seen: { samples: readonly LoadSample[]; isArmed: () => boolean },
  clock: Clock,
  signal: AbortSignal,
): Promise<number | undefined> {
  const planned = experiment.phases.endFaultWhenSure ? looksAt(experiment, fault) : []
  for (const look of planned) {
    await clock.sleep(Math.max(0, look.at - clock.now()), signal)
    if (seen.isArmed() && isSure(experiment, seen.samples, look.seen, look.look)) return look.look
  }
  await clock.sleep(Math.max(0, fault.end - clock.now()), signal)
  return undefined
}
