import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCode } from '@shaketable/slo'
import { describe, type ExpectStatic, test, vi } from 'vitest'
import type { SuiteReport } from '../src/report/model.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'

const cwd = fixture('duo')
const frozen = 'experiments/frozen-back.yaml'
const verdictCodes = [exitCode.pass, exitCode.fail, exitCode.inconclusive, exitCode.void]
/** On a machine of its own it takes under 5 s; four runs share this one. */
const within = { timeout: 60_000, interval: 50 }
vi.setConfig({ maxConcurrency: 4, testTimeout: 240_000 })

interface Subject extends Awaited<ReturnType<typeof freshState>> {
  run: Shaketable
  /** Resolves when nothing of the run is left, and rejects if something still is after a minute. */
  nothingLeft(expect: ExpectStatic): Promise<void>
}

/** The same with so long a fault that nothing but the test ends it, however busy the machine. */
async function writeLong(folder: string): Promise<string> {
  const short = await readFile(join(cwd, frozen), 'utf8')
  const long = short.replaceAll('../', `${cwd}/`).replace('fault: 2s', 'fault: 5m').replace('rate: 100/s', 'rate: 20/s')
  await writeFile(join(folder, 'frozen-back.yaml'), long)
  return join(folder, 'frozen-back.yaml')
}

/** A run with a frozen instance, at the moment when it is frozen, and its end whatever the test does to it. */
async function withFrozen(
  body: (subject: Subject) => Promise<void>,
  { endsItself = false, options = [] as string[] } = {},
): Promise<void> {
  const place = await freshState()
  const file = endsItself ? frozen : await writeLong(place.state)
  const run = new Shaketable(['run', file, ...options], { state: place.state, cwd })
  const nothingLeft = async (expect: ExpectStatic) => {
    await expect.poll(() => processesWith(place.state), within).toEqual([])
    expect(await place.runs()).toEqual([])
  }
  try {
    await run.says(/fault armed: freeze/)
    await body({ ...place, run, nothingLeft })
  } finally {
    run.child.kill('SIGKILL')
    for (const pid of await processesWith(place.state)) process.kill(pid, 'SIGKILL')
    await place.remove()
  }
}

describe.concurrent('a run with a frozen instance', () => {
  test.for([
    ['Ctrl-C', 'SIGINT', 130],
    ['SIGTERM', 'SIGTERM', 143],
  ] as const)('undoes everything on %s, and exits with its own code', ([, signal, code], { expect }) =>
    withFrozen(async ({ run, nothingLeft }) => {
      run.child.kill(signal)
      const finished = await run.finished
      expect(finished).toMatchObject({ code, signal: null })
      expect(finished.stdout).toMatch(/void {2}frozen-back/)
      expect(finished.stdout).toContain(`interrupted by ${signal}`)
      expect(finished.stdout).toContain(`exit ${code}`)
      await nothingLeft(expect)
    }),
  )

  test('is ended while its processes start, and says so', async ({ expect }) => {
    const { state, runs, remove } = await freshState()
    try {
      const run = new Shaketable(['run', frozen], { state, cwd })
      await run.says(/starting duo/)
      run.child.kill('SIGTERM')
      const finished = await run.finished
      expect(finished).toMatchObject({ code: 143, signal: null, stdout: '' })
      expect(finished.stderr).toContain('shaketable: ended by SIGTERM, and everything is undone\n')
      expect(await processesWith(state)).toEqual([])
      expect(await runs()).toEqual([])
    } finally {
      await remove()
    }
  })

  test('exits at once on a second Ctrl-C, and its keeper undoes everything', ({ expect }) =>
    withFrozen(async ({ run, nothingLeft }) => {
      run.child.kill('SIGINT')
      run.child.kill('SIGINT')
      // Two signals of a kind may come as one: the second is sent until it is heard.
      const again = setInterval(() => run.child.kill('SIGINT'), 20)
      expect(await run.finished).toMatchObject({ code: 130, signal: null })
      clearInterval(again)
      await nothingLeft(expect)
    }))

  test('goes on to its end when nobody reads its words or its result any more', ({ expect }) =>
    withFrozen(
      async ({ run, nothingLeft }) => {
        run.child.stdout?.destroy()
        run.child.stderr?.destroy()
        // Which verdict it comes to is not the matter here: several runs share the machine.
        const { code, signal } = await run.finished
        expect(verdictCodes).toContain(code)
        expect(signal).toBeNull()
        await nothingLeft(expect)
      },
      { endsItself: true },
    ))

  test('undoes everything when its terminal has gone: no reader, and a hangup', ({ expect }) =>
    withFrozen(async ({ run, nothingLeft }) => {
      run.child.stdout?.destroy()
      run.child.stderr?.destroy()
      run.child.kill('SIGHUP')
      expect(await run.finished).toMatchObject({ code: 129, signal: null })
      await nothingLeft(expect)
    }))

  test('is void when its keeper dies, says so, and undoes everything itself', ({ expect }) =>
    withFrozen(
      async ({ run, state, nothingLeft }) => {
        process.kill(await keeperOf(state), 'SIGKILL')
        const { code, stdout } = await run.finished
        const report = JSON.parse(stdout) as SuiteReport
        expect(code).toBe(5)
        expect(report.experiments).toMatchObject([{ name: 'frozen-back', verdict: 'void' }])
        expect(report.experiments[0]?.reasons.join()).toContain('the keeper died (SIGKILL)')
        await nothingLeft(expect)
      },
      { options: ['--json'] },
    ))

  test('that is killed while its keeper is frozen is found by sweep, and the keeper too', ({ expect }) =>
    withFrozen(async ({ run, state, nothingLeft }) => {
      const keeper = await keeperOf(state)
      process.kill(keeper, 'SIGSTOP')
      run.child.kill('SIGKILL')
      await run.finished
      const sweep = () => new Shaketable(['sweep'], { state, cwd }).finished
      const swept = await sweep()
      expect(swept.stdout).toMatch(/ \(duo\): swept\n {2}resumed back-[12] \(pid \d+\)\n/)
      expect(swept.stdout).toContain(`ended the keeper (pid ${keeper})`)
      expect(swept.code).toBe(0)
      await nothingLeft(expect)
      expect(await sweep()).toMatchObject({ code: 0, stdout: 'clean: no run left anything behind\n' })
    }))

  test('that is frozen itself is undone by its keeper, and starts nothing again when it is woken', ({ expect }) =>
    withFrozen(async ({ run, state, runs }) => {
      run.child.kill('SIGSTOP')
      await expect.poll(() => runs(), within).toEqual([])
      run.child.kill('SIGCONT')
      const woken = await run.finished
      expect(woken, woken.stderr).toMatchObject({ code: 5, signal: null })
      await expect.poll(() => processesWith(state), within).toEqual([])
      expect(await runs()).toEqual([])
    }))

  test('is ended by halt from another terminal', ({ expect }) =>
    withFrozen(async ({ run, state, nothingLeft }) => {
      const { code, stdout } = await new Shaketable(['halt'], { state, cwd }).finished
      expect(stdout).toContain(`runner (pid ${run.pid}) ended on SIGTERM`)
      expect(code).toBe(0)
      expect(await run.finished).toMatchObject({ code: 143 })
      await nothingLeft(expect)
    }))
})

async function keeperOf(state: string): Promise<number> {
  for (const pid of await processesWith(state)) {
    const command = await readFile(`/proc/${pid}/cmdline`, 'latin1').catch(() => '')
    if (command.includes('keeper-main')) return pid
  }
  throw new Error('no keeper is alive')
}
