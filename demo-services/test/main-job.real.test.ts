import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { answers, disagreements } from '../answer-key.mjs'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** `npm start`, as the README says it, with its own state folder so that we see what it leaves. */
async function npmStart(...flags: string[]) {
  const dir = await mkdtemp(join(tmpdir(), 'main-job-'))
  const state = join(dir, 'state')
  try {
    const child = spawn('npm', ['start', '--', '--report', join(dir, 'report'), ...flags], {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', SHAKETABLE_STATE: state },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', chunk => {
        said += chunk
      })
    }
    const exit = await new Promise<number | null>(resolve => child.once('close', resolve))
    expect(await readdir(state).catch(() => []), 'the run’s state is gone').toEqual([])
    return { exit, said, report: JSON.parse(await readFile(join(dir, 'report/report.json'), 'utf8')) }
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}

/** What other programs of the machine take from the services is seen as the services' own: that may happen once. */
const onSharedMachine = { retry: 1, timeout: 240_000 }

test('with resilience the shop stands, in every experiment', onSharedMachine, async () => {
  const { exit, said, report } = await npmStart()
  const verdicts = report.experiments.map((each: { name: string; verdict: string }) => `${each.name}: ${each.verdict}`)
  expect(verdicts, said).toEqual([...new Set(answers({ all: true }).map(cell => `${cell.experiment}: pass`))].sort())
  expect(verdicts.length).toBeGreaterThanOrEqual(4)
  expect(exit).toBe(0)
})

test('without it the shop falls where the answer key says, and stands where it says', onSharedMachine, async () => {
  const { exit, said, report } = await npmStart('--resilience', 'off')
  expect(disagreements(report), said).toEqual([])
  expect(said).toMatch(/answer key: (\d+) of \1 cells agree/)
  expect(exit).toBe(1)
})
