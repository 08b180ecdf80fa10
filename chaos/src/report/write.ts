import { randomBytes } from 'node:crypto'
import { mkdir, rename, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import { html } from './html.ts'
import { json } from './json.ts'
import { junit } from './junit.ts'
import { markdown } from './markdown.ts'
import type { SuiteReport } from './model.ts'
import type { Reporter } from './reporter.ts'

/** Every reporter that `--report DIR` writes. */
export const reporters: readonly Reporter[] = [json, junit, html, markdown]

/**
 * Writes every report into `dir`, which it makes, and gives their absolute paths. Each file appears whole or not at all.
 * @throws ShaketableError `SHAKETABLE_REPORT_NOT_WRITTEN`
 */
export async function writeReports(dir: string, report: SuiteReport): Promise<string[]> {
  const paths: string[] = []
  for (const reporter of reporters) paths.push(await writeReport(join(dir, reporter.fileName), reporter, report))
  return paths
}

/** Writes one report to `path`, whole or not at all, and gives its absolute path. Throws as `writeReports` does. */
export async function writeReport(path: string, reporter: Reporter, report: SuiteReport): Promise<string> {
  const target = resolve(path)
  const draft = `${target}.${randomBytes(6).toString('hex')}.tmp`
  try {
    await mkdir(resolve(target, '..'), { recursive: true })
    await writeFile(draft, reporter.render(report), { flag: 'wx' })
    await rename(draft, target)
    return target
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => {})
    throw new ShaketableError('SHAKETABLE_REPORT_NOT_WRITTEN', `cannot write ${target}: ${(cause as Error).message}`, {
      exitCode: exitCode.ownError,
      hint: 'give --report a folder that you may write to',
      cause,
    })
  }
}
