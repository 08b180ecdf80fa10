import {
  exitCode,
  explain,
  InvalidInput,
  k6Module,
  type Objective,
  type Problem,
  prometheusRules,
  promtoolTests,
  readObjectives,
  ShaketableError,
  toYaml,
} from '@shaketable/slo'
import { Command } from 'commander'
import type { World } from '../world.ts'
import { expandFiles, fileSource } from './files.ts'

/** `shaketable slo …`: what else an objective is good for. Every result goes to stdout. */
export function sloCommand(world: World, conclude: (code: number) => void): Command {
  const slo = new Command('slo').description('Make rules, their tests and load thresholds from OpenSLO files.')
  const use = (name: string, description: string, make: (objectives: Objective[]) => string) =>
    slo.addCommand(
      new Command(name)
        .description(description)
        .argument('<file...>', 'OpenSLO v1 files, or folders of them')
        .action(async (paths: string[]) => {
          world.stdout.write(make(await objectivesOf(paths, world)))
          conclude(exitCode.pass)
        }),
    )
  use('rules', 'Prometheus recording rules and burn-rate alerts', objectives => toYaml(prometheusRules(objectives)))
  use('tests', 'promtool unit tests of those rules (which stand in objectives.rules.yaml beside them)', objectives =>
    toYaml(promtoolTests(objectives)),
  )
  use('k6', 'a module with k6 thresholds, and the function that counts for them', k6Module)
  use(
    'explain',
    'what each objective allows, in plain words',
    objectives => `${objectives.map(explain).join('\n').trimEnd()}\n`,
  )
  return slo
}

async function objectivesOf(paths: string[], world: World): Promise<Objective[]> {
  const source = fileSource(world)
  const objectives: Objective[] = []
  const problems: Problem[] = []
  for (const file of await expandFiles(paths, world)) {
    const text = await source.read(file).catch((cause: NodeJS.ErrnoException) => {
      throw new ShaketableError('SHAKETABLE_NO_SUCH_FILE', `cannot read ${file} (${cause.code})`, {
        exitCode: exitCode.invalidInput,
        cause,
      })
    })
    try {
      objectives.push(...readObjectives(text, file))
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error
      problems.push(...error.problems)
    }
  }
  if (problems.length > 0) throw new InvalidInput(problems)
  return objectives
}
