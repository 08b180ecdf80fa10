import { Command } from 'commander'
import { halt } from '../conduct/halt.ts'
import type { World } from '../world.ts'
import { tellUndone } from './undone.ts'

/** `shaketable halt`: the red button. */
export function haltCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('halt')
    .description('The red button: end every run on this machine and undo everything, now.')
    .action(async () => conclude(tellUndone(await halt(world), 'no run to halt', world)))
}
