import { Command } from 'commander'
import { audit } from '../conduct/audit.ts'
import { halt } from '../conduct/halt.ts'
import type { World } from '../world.ts'
import { tellUndone } from './undone.ts'

/** `shaketable halt`: the red button. */
export function haltCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('halt')
    .description('The red button: end every run on this machine and undo everything, now.')
    .action(async () => {
      const result = await halt(world)
      if (result.runs.length > 0) {
        const outcome = result.runs.map(({ runId, state, problems }) => ({ runId, state, problems }))
        await audit(world, { event: 'halt', systems: result.runs.map(({ system }) => system), outcome })
      }
      conclude(tellUndone(result, 'no run to halt', world))
    })
}
