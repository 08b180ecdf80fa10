import { exitCode, formatProblem, InvalidInput } from '@shaketable/slo'
import { Command } from 'commander'
import { validateFiles } from '../experiment/validate.ts'
import type { World } from '../world.ts'
import { expandFiles, fileSource } from './files.ts'

/** `shaketable validate FILE…`: read files of any kind, and everything that they name, and start nothing. */
export function validateCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('validate')
    .description('Check experiment, system and OpenSLO files, with everything that they name.')
    .argument('<file...>', 'files, or folders of them')
    .action(async (paths: string[]) => {
      const { summaries, warnings, problems } = await validateFiles(await expandFiles(paths, world), fileSource(world))
      for (const line of summaries) world.stdout.write(`${line}\n`)
      for (const warning of warnings) world.stderr.write(`${formatProblem(warning)}\n`)
      if (problems.length > 0) throw new InvalidInput(problems)
      conclude(exitCode.pass)
    })
}
