import { Command } from 'commander'
import { sweep } from '../conduct/sweep.ts'
import type { World } from '../world.ts'
import { tellUndone } from './undone.ts'

/** `shaketable sweep`: undo what dead runs left, and prove it. */
export function sweepCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('sweep')
    .description('Undo whatever dead runs left behind on this machine, and prove it. Live runs are left alone.')
    .action(async () => conclude(tellUndone(await sweep(world), 'clean: no run left anything behind', world)))
}
