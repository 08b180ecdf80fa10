import { resolve } from 'node:path'
import { exitCode } from '@shaketable/slo'
import { Command } from 'commander'
import { readReport } from '../report/read.ts'
import { styleFor, summary } from '../report/terminal.ts'
import { writeReports } from '../report/write.ts'
import type { World } from '../world.ts'
import { readGiven } from './files.ts'

/** `shaketable report FILE`: show or render again what a run has written as report.json. */
export function reportCommand(world: World, conclude: (code: number) => void): Command {
  return new Command('report')
    .description('Show a report.json again; with --out, write every form of it to DIR.')
    .argument('<file>', 'a report.json')
    .option('--out <dir>', 'where to write report.html, junit.xml and the others')
    .action(async (file: string, options: { out?: string }) => {
      const report = readReport(await readGiven(file, world), file)
      if (options.out !== undefined) {
        const written = await writeReports(resolve(world.cwd, options.out), report)
        world.stderr.write(written.map(path => `wrote ${path}\n`).join(''))
      }
      world.stdout.write(summary(report, styleFor(world.stdout, world.env)))
      conclude(exitCode.pass)
    })
}
