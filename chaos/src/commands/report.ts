import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import { Command } from 'commander'
import { readReport } from '../report/read.ts'
import { styleFor, summary } from '../report/terminal.ts'
import { writeReports } from '../report/write.ts'
import type { World } from '../world.ts'

/** `shaketable report FILE`: show or render again what a run has written as report.json. */
export function reportCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('report')
    .description('Show a report.json again; with --out, write every form of it to DIR.')
    .argument('<file>', 'a report.json')
    .option('--out <dir>', 'where to write report.html, junit.xml and the others')
    .action(async (file: string, options: { out?: string }) => {
      const text = await readFile(resolve(world.cwd, file), 'utf8').catch((cause: NodeJS.ErrnoException) => {
        throw new ShaketableError('SHAKETABLE_NO_SUCH_FILE', `cannot read ${file} (${cause.code})`, {
          exitCode: exitCode.invalidInput,
          hint: 'a run writes it with --report DIR',
          cause,
        })
      })
      const report = readReport(text, file)
      if (options.out !== undefined) {
        const written = await writeReports(resolve(world.cwd, options.out), report)
        world.stderr.write(written.map(path => `wrote ${path}\n`).join(''))
      }
      world.stdout.write(summary(report, styleFor(world.stdout, world.env)))
      conclude(exitCode.pass)
    })
}
