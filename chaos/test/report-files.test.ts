import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readReport } from '../src/report/read.ts'
import { reporters, writeReports } from '../src/report/write.ts'
import { fixtureReport } from './fixtures/reports/generate.ts'

let dir: string
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'shaketable-report-'))
})
afterAll(() => rm(dir, { recursive: true, force: true }))

describe('writing reports', () => {
  test('makes the folder and writes every report, whole, with no draft left', async () => {
    const target = join(dir, 'deep', 'reports')
    const report = fixtureReport('fail')
    const paths = await writeReports(target, report)
    expect(paths.every(isAbsolute)).toBe(true)
    expect((await readdir(target)).sort()).toEqual(['junit.xml', 'report.html', 'report.json', 'summary.md'])
    for (const [index, reporter] of reporters.entries()) {
      expect(await readFile(paths[index]!, 'utf8')).toBe(reporter.render(report))
    }
    expect(readReport(await readFile(join(target, 'report.json'), 'utf8'), 'report.json')).toEqual(report)
  })

  test('takes the place of the reports of a run before', async () => {
    const target = join(dir, 'again')
    await writeReports(target, fixtureReport('fail'))
    await writeReports(target, fixtureReport('pass'))
    expect(JSON.parse(await readFile(join(target, 'report.json'), 'utf8')).verdict).toBe('pass')
  })

  test('a folder that cannot be made is our error with its path, not a stack', async () => {
    const file = join(dir, 'a-file')
    await writeFile(file, '')
    await expect(writeReports(join(file, 'reports'), fixtureReport('pass'))).rejects.toMatchObject({
      code: 'SHAKETABLE_REPORT_NOT_WRITTEN',
      message: expect.stringContaining(join(file, 'reports', 'report.json')),
      hint: expect.any(String),
    })
  })
})
