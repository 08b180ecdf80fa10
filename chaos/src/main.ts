import { exitCode, InvalidInput, ShaketableError } from '@shaketable/slo'
import { Command, CommanderError } from 'commander'
import { capacityCommand } from './commands/capacity.ts'
import { completionCommand } from './commands/completion.ts'
import { dashboardsCommand } from './commands/dashboards.ts'
import { haltCommand } from './commands/halt.ts'
import { initCommand } from './commands/init.ts'
import { keepCommand } from './commands/keep.ts'
import { reportCommand } from './commands/report.ts'
import { runCommand } from './commands/run.ts'
import { sloCommand } from './commands/slo.ts'
import { sweepCommand } from './commands/sweep.ts'
import { validateCommand } from './commands/validate.ts'
import { exitCodeOf } from './ending-signals.ts'
import { version } from './version.ts'
import type { World } from './world.ts'

/**
 * The whole command, without a process around it: arguments in, exit code out (see `exitCode`). Words for people go to
 * `world.stderr`, results to `world.stdout`; every error is printed here, once.
 */
export async function run(argv: readonly string[], world: World): Promise<number> {
  let code: number = exitCode.pass
  const program = new Command('shaketable')
    .description('Shakes a running system with latency, errors and kills, and judges it by its own objectives.')
    .version(version, '-V, --version')
    .configureOutput({
      writeOut: text => world.stdout.write(text),
      writeErr: text => world.stderr.write(text),
    })
    .showHelpAfterError('(shaketable --help lists the commands)')
    .exitOverride()
  for (const command of [
    runCommand,
    validateCommand,
    haltCommand,
    sweepCommand,
    capacityCommand,
    reportCommand,
    sloCommand,
    dashboardsCommand,
    initCommand,
    keepCommand,
    completionCommand,
  ]) {
    // Made by hand, a subcommand does not inherit where the program writes and how it exits.
    const made = command(world, result => {
      code = result
    })
    for (const each of [made, ...made.commands]) each.copyInheritedSettings(program)
    program.addCommand(made)
  }

  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.pass : exitCode.invalidInput
    return explain(error, world)
  }
}

function explain(error: unknown, world: World): number {
  if (error instanceof InvalidInput) {
    world.stderr.write(`${error.message}\n`)
    return error.exitCode
  }
  if (error instanceof ShaketableError) {
    world.stderr.write(`shaketable: ${error.message} [${error.code}]\n${error.hint ? `  hint: ${error.hint}\n` : ''}`)
    return error.exitCode
  }
  if (world.signal.aborted) {
    world.stderr.write(`shaketable: ended by ${world.signal.reason}, and everything is undone\n`)
    return exitCodeOf(world.signal) ?? exitCode.ownError
  }
  world.stderr.write(`shaketable: this is our own error, please report it:\n${(error as Error)?.stack ?? error}\n`)
  return exitCode.ownError
}
