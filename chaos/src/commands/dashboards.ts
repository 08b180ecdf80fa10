import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import { Command } from 'commander'
import type { World } from '../world.ts'

/** `shaketable dashboards DIR`: the Grafana dashboards and the alert rules that go with the SDK. */
export function dashboardsCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('dashboards')
    .description('Write the Grafana dashboards, and the alert rules beyond the objectives, to DIR.')
    .argument('<dir>', 'a folder, made where there is none')
    .action(async (dir: string) => {
      // Building them takes a library that no other command needs.
      const { generatedFiles } = await import('@shaketable/dashboards')
      const folder = resolve(world.cwd, dir)
      try {
        await mkdir(folder, { recursive: true })
        for (const [name, text] of Object.entries(generatedFiles())) {
          await writeFile(join(folder, name), text)
          world.stdout.write(`${join(dir, name)}\n`)
        }
      } catch (cause) {
        throw new ShaketableError('SHAKETABLE_NOT_WRITABLE', `cannot write to ${dir}: ${(cause as Error).message}`, {
          exitCode: exitCode.invalidInput,
          hint: 'name a folder that may be written',
          cause,
        })
      }
      conclude(exitCode.pass)
    })
}
