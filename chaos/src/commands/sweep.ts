import { Command } from 'commander'
import { audit } from '../conduct/audit.ts'
import { sweep } from '../conduct/sweep.ts'
import type { World } from '../world.ts'
import { tellUndone } from './undone.ts'

/** `shaketable sweep`: undo what dead runs left, and prove it. */
export function sweepCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('sweep')
    .description('Undo whatever dead runs left behind on this machine, and prove it. Live runs are left alone.')
    .action(async () => {
      const result = await sweep(world)
      if (result.runs.length > 0) {
        const outcome = result.runs.map(({ runId, state, problems }) => ({ runId, state, problems }))
        await audit(world, { event: 'sweep', systems: result.runs.map(({ system }) => system), outcome })
      }
      conclude(tellUndone(result, 'clean: no run left anything behind', world))
    })
}
