import { setTimeout as sleep } from 'node:timers/promises'
import { exitCode } from '@shaketable/slo'
import { describe, it, vi } from 'vitest'
import { random } from '../src/random.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'

/** For a soak: `SOAK_KILLS=50 SOAK_SEED=7`. */
const kills = Number(process.env.SOAK_KILLS ?? 8)
const next = random(Number(process.env.SOAK_SEED ?? 9))
const undoneWithinMs = 5000
vi.setConfig({ maxConcurrency: 4, testTimeout: 300_000 })

interface Stage {
  experiment: string
  /** What the run says of itself before the kill; nothing: it has just been started. */
  says: RegExp | undefined
  /** The kill comes a random time up to this after it. */
  uptoMs: number
  /** Who is killed: the runner, or the instance whose command line holds this. */
  instance?: string
}

const slow = 'experiments/slow-back.yaml'
const frozen = 'experiments/frozen-back.yaml'
const stages: Record<string, Stage> = {
  'its first moment': { experiment: slow, says: undefined, uptoMs: 1000 },
  'the start of its processes': { experiment: frozen, says: /starting duo/, uptoMs: 1200 },
  'an armed latency': { experiment: slow, says: /fault armed: 1 s/, uptoMs: 1900 },
  'a frozen instance': { experiment: frozen, says: /fault armed: freeze/, uptoMs: 1900 },
  'the first load': { experiment: slow, says: /\[1\/1\]/, uptoMs: 3000 },
  'its own end': { experiment: frozen, says: /stopping duo/, uptoMs: 250 },
  'an armed latency, of an instance': {
    experiment: slow,
    says: /fault armed: 1 s/,
    uptoMs: 1500,
    instance: 'back.mjs',
  },
  'a frozen instance, of an instance': {
    experiment: frozen,
    says: /fault armed: freeze/,
    uptoMs: 1500,
    instance: 'back.mjs',
  },
}
const order = Object.keys(stages)
const moments = Array.from({ length: kills }, (_, index) => {
  const after = order[index % order.length] as string
  return { after, delayMs: Math.floor(next() * (stages[after] as Stage).uptoMs) }
})

describe.concurrent('a kill (SIGKILL)', () => {
  it.for(moments)('$delayMs ms after $after leaves nothing behind', async ({ after, delayMs }, { expect }) => {
    const { experiment, says, instance } = stages[after] as Stage
    const { state, runs, remove } = await freshState()
    const run = new Shaketable(['run', experiment], { state, cwd: fixture('duo') })
    try {
      if (says) await run.says(says)
      await sleep(delayMs)
      if (instance) {
        for (const pid of await processesWith(state, instance)) process.kill(pid, 'SIGKILL')
        // Whatever it makes of that, it could undo everything, and it has not failed itself.
        expect([exitCode.pass, exitCode.fail, exitCode.inconclusive, exitCode.void]).toContain(
          (await run.finished).code,
        )
        expect(await runs()).toEqual([])
      } else {
        run.child.kill('SIGKILL')
        await run.finished
      }
      await expect
        .poll(() => processesWith(state), { timeout: undoneWithinMs, interval: 50, message: 'alive after 5 s' })
        .toEqual([])
      // A run that dies between making its folder and starting its keeper has started nothing; the sweep finds the folder.
      const bare = (await runs()).length > 0
      const swept = await new Shaketable(['sweep'], { state, cwd: fixture('duo') }).finished
      if (bare) expect(swept.stdout).toMatch(/^\S+ \((\?|duo)\): swept\n {2}removed \S+\n$/)
      else expect(swept.stdout).toBe('clean: no run left anything behind\n')
      expect(bare && says !== undefined && after !== 'the start of its processes').toBe(false)
      expect(swept.code).toBe(0)
      expect(await runs()).toEqual([])
    } finally {
      run.child.kill('SIGKILL')
      await remove()
    }
  })
})
