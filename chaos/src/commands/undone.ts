import { exitCode } from '@shaketable/slo'
import type { SweepResult } from '../conduct/sweep.ts'
import type { World } from '../world.ts'

/** Prints what `halt` or `sweep` did, a line a run; exit 4 when something could not be undone. */
export function tellUndone(result: SweepResult, nothing: string, world: World): number {
  if (result.runs.length === 0) world.stdout.write(`${nothing}\n`)
  for (const run of result.runs) {
    world.stdout.write(`${run.runId} (${run.system}): ${run.state}\n`)
    for (const line of run.undone) world.stdout.write(`  ${line}\n`)
    for (const line of run.problems) world.stdout.write(`  NOT UNDONE: ${line}\n`)
  }
  return result.runs.some(run => run.state === 'failed') ? exitCode.notUndone : exitCode.pass
}
