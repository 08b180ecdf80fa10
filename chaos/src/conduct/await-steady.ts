import { ShaketableError } from '@shaketable/slo'
import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import { isSteady } from '../verdict/recovery.ts'
import type { Clock } from '../world.ts'

/** How long a system may take under load to come to its steady state: it may have started just now. */
const withinMs = 20_000
const lookEveryMs = 250
/** A sample may be this old when it arrives. */
const sampleDelayMs = 300

/** Resolves once the steady state has come; rejects with `SHAKETABLE_NOT_STEADY`, or with the signal's reason. */
export async function awaitSteady(
  experiment: Experiment,
  samples: readonly LoadSample[],
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const start = clock.now()
  while (!isSteady(experiment, samples, { start, end: clock.now() - sampleDelayMs })) {
    if (clock.now() - start > withinMs) {
      throw new ShaketableError(
        'SHAKETABLE_NOT_STEADY',
        `the steady state did not come within ${withinMs / 1000} s of load, so no fault was injected`,
      )
    }
    await clock.sleep(lookEveryMs, signal)
  }
}
