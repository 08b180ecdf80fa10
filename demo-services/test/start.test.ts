import { execFile } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest'
import { answers, disagreements } from '../answer-key.mjs'

let cwd: string
beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'start-'))
})
afterAll(() => rm(cwd, { recursive: true }))

/** `npm start -- …` without npm. */
function start(...flags: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = fileURLToPath(new URL('../start.mjs', import.meta.url))
  return new Promise(resolve => {
    execFile(process.execPath, [file, ...flags], { cwd }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, stdout, stderr })
    })
  })
}

describe('npm start', () => {
  it('means every experiment of the shop that the answer key knows, and hands its flags on', async () => {
    const { code, stdout, stderr } = await start('--dry-run', '--resilience=off', '--seed', '7')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    for (const name of new Set(answers({ all: true }).map(cell => cell.experiment))) expect(stdout).toContain(name)
    expect(stdout).toContain('seed 7')
    expect(readdirSync(cwd)).toEqual([])
  })

  it.each([['--resilience'], ['--resilience='], ['--report']])('refuses %s without a value', async flag => {
    const { code, stdout, stderr } = await start(flag)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^--\w+: expected /)
  })
})

describe('the answer key', () => {
  const cells = answers()
  const report = (verdictOf: (cell: (typeof cells)[number]) => string | undefined) => ({
    experiments: cells.map(cell => ({
      name: cell.experiment,
      objectives: [{ name: cell.objective, verdict: verdictOf(cell) ?? 'pass' }],
    })),
  })

  test('has a cell that must fail in at least three experiments, and one that must pass', () => {
    const failing = new Set(cells.filter(({ verdict }) => verdict === 'fail').map(({ experiment }) => experiment))
    expect(failing.size).toBeGreaterThanOrEqual(3)
    expect(cells.some(({ verdict }) => verdict === 'pass')).toBe(true)
  })

  test('finds every cell that is otherwise, or missing', () => {
    const one = cells.slice(0, 1)
    const [{ experiment, objective, verdict }] = one as [(typeof cells)[number]]
    expect(
      disagreements(
        report(cell => cell.verdict),
        one,
      ),
    ).toEqual([])
    expect(
      disagreements(
        report(() => 'inconclusive'),
        one,
      ),
    ).toEqual([`${experiment} / ${objective}: inconclusive, expected ${verdict}`])
    expect(disagreements({ experiments: [] }, one)).toEqual([
      `${experiment} / ${objective}: not in the report, expected ${verdict}`,
    ])
  })
})
