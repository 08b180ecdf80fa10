import { describe, expect, it } from 'vitest'
import type { Clock } from '../world.ts'
import { conduct } from './conduct.ts'
import { journalOf } from './journal.ts'
import type { Activity, ToolkitExperiment } from './model.ts'
import type { Outside } from './outside.ts'
import { veilOf } from './veil.ts'
import { verdictOf } from './verdict.ts'

/** Its time goes only where somebody sleeps. */
function virtualClock(): Clock & { at: number } {
  const clock = {
    at: 0,
    now: () => clock.at,
    wall: () => clock.at,
    sleep: async (ms: number, signal?: AbortSignal) => {
      if (signal?.aborted) throw signal.reason
      clock.at += ms
      // Others that wait get their turn.
      await new Promise(resolve => setImmediate(resolve))
      if (signal?.aborted) throw signal.reason
    },
  }
  return clock
}

const place = { file: 'x.json', line: 1, column: 1 }
const activity = (name: string, more: Partial<Activity> = {}): Activity => ({
  name,
  type: 'action',
  background: false,
  pauseBeforeMs: 0,
  pauseAfterMs: 0,
  provider: { type: 'process', path: name, args: [], timeoutMs: undefined },
  tolerance: undefined,
  place,
  source: { name },
  ...more,
})
const probe = (name: string) => activity(name, { type: 'probe', tolerance: { type: 'equals', value: 0 } })

const experiment = (more: Partial<ToolkitExperiment> = {}): ToolkitExperiment => ({
  file: 'x.json',
  title: 'x',
  description: '',
  tags: [],
  hypothesis: { title: 'steady', probes: [probe('steady')] },
  method: [activity('shake')],
  rollbacks: [activity('back')],
  hypothesisStrategy: 'default',
  rollbackStrategy: 'default',
  everyMs: 100,
  configuration: {},
  secrets: {},
  source: { title: 'x' },
  ...more,
})

/** What each program does when it is run; one that is not named here exits with 0. */
async function run(
  what: ToolkitExperiment,
  programs: Record<string, (time: number, clock: Clock, signal: AbortSignal) => number | Promise<number>> = {},
  ending = new AbortController(),
) {
  const clock = virtualClock()
  const done: string[] = []
  const outside: Outside = {
    http: () => Promise.reject(new Error('nothing is asked here')),
    process: async ({ path }, signal) => {
      done.push(path)
      const times = done.filter(each => each === path).length
      return { status: (await programs[path]?.(times, clock, signal)) ?? 0, stdout: '', stderr: '' }
    },
  }
  const mapped = {
    configuration: {},
    seed: 1,
    journal: async () => {},
    undoes: () => {},
    cluster: () => Promise.reject(new Error('no cluster')),
  }
  const seen = await conduct(what, { clock, outside, mapped, ran: () => {} }, ending.signal)
  const verdict = verdictOf(what, seen, [], ending.signal)
  const journal = journalOf(what, seen, { startedAt: 0, endedAt: clock.at }, veilOf([]))
  const { status, deviated } = journal as { status: string; deviated: boolean }
  return { done, seen, code: verdict.exitCode, words: verdict.words, status, deviated, journal, clock }
}

const boom = () => {
  throw new Error('boom')
}

describe('conducting an experiment', () => {
  it('looks, shakes, looks again and rolls back: pass', async () => {
    const { done, code, status, deviated } = await run(experiment())
    expect(done).toEqual(['steady', 'shake', 'steady', 'back'])
    expect({ code, status, deviated }).toEqual({ code: 0, status: 'completed', deviated: false })
  })

  it('does nothing where the steady state does not hold to begin with: void', async () => {
    const { done, code, status, deviated } = await run(experiment(), { steady: () => 1 })
    expect(done).toEqual(['steady'])
    expect({ code, status, deviated }).toEqual({ code: 5, status: 'failed', deviated: false })
  })

  it('rolls back after a refused after-probe: fail', async () => {
    const { done, code, status, deviated, words } = await run(experiment(), { steady: time => (time === 1 ? 0 : 1) })
    expect(done).toEqual(['steady', 'shake', 'steady', 'back'])
    expect({ code, status, deviated }).toEqual({ code: 1, status: 'failed', deviated: true })
    expect(words).toBe('fail: the steady state was not there after the method')
  })

  it.each([
    ['that raises', boom],
    ['that exits with another code than 0', () => 3],
  ])('fails for an action %s, begins no other, and rolls back', async (_, shake) => {
    const { done, code, status } = await run(experiment({ method: [activity('shake'), activity('more')] }), { shake })
    expect(done).toEqual(['steady', 'shake', 'steady', 'back'])
    expect({ code, status }).toEqual({ code: 1, status: 'failed' })
  })

  it('fails where one look of a continuous hypothesis fails, though the last one is fine', async () => {
    const { code, status, deviated, seen, words } = await run(
      experiment({ hypothesisStrategy: 'continuously', method: [activity('shake')] }),
      {
        steady: time => (time === 3 ? 1 : 0),
        shake: async (_, clock, signal) => {
          for (let turn = 0; turn < 20; turn++) await clock.sleep(50, signal)
          return 0
        },
      },
    )
    expect({ code, status, deviated }).toEqual({ code: 1, status: 'failed', deviated: true })
    expect(seen.during.length).toBeGreaterThan(2)
    expect(seen.after?.met).toBe(true)
    expect(seen.rolledBack).toBe(true)
    expect(words).toMatch(/^fail: the steady state was lost, in 1 of \d+ looks during the method$/)
  })

  it('rolls back after a signal in mid-method, with rollbacks that the signal does not end', async () => {
    const ending = new AbortController()
    let endedRollback = true
    const { done, code, status } = await run(
      experiment({ method: [activity('shake'), activity('more')] }),
      {
        shake: (_, __, signal) => {
          ending.abort('SIGINT')
          signal.throwIfAborted()
          return 0
        },
        back: (_, __, signal) => {
          endedRollback = signal.aborted
          return 0
        },
      },
      ending,
    )
    expect(done).toEqual(['steady', 'shake', 'back'])
    expect({ code, status, endedRollback }).toEqual({ code: 130, status: 'interrupted', endedRollback: false })
  })

  it('does every rollback though one of them fails, and says with 4 that something is left', async () => {
    const rollbacks = [activity('back'), activity('further')]
    const { done, code, words } = await run(experiment({ rollbacks }), { back: boom })
    expect(done.slice(-2)).toEqual(['back', 'further'])
    expect({ code, words }).toEqual({ code: 4, words: 'not rolled back: back: boom' })
  })

  it.each<[ToolkitExperiment['rollbackStrategy'], 'good' | 'bad' | 'unsteady', boolean]>([
    ['default', 'good', true],
    ['default', 'bad', true],
    ['default', 'unsteady', false],
    ['always', 'unsteady', true],
    ['deviated', 'good', false],
    ['deviated', 'bad', true],
    ['never', 'bad', false],
  ])('with the rollback strategy %s after a %s run: rollbacks %j', async (rollbackStrategy, how, expected) => {
    const { seen } = await run(experiment({ rollbackStrategy }), {
      shake: () => (how === 'bad' ? 1 : 0),
      steady: () => (how === 'unsteady' ? 1 : 0),
    })
    expect(seen.rolledBack).toBe(expected)
  })

  it.each<[ToolkitExperiment['hypothesisStrategy'], boolean, boolean, boolean]>([
    ['before-method-only', true, false, false],
    ['after-method-only', false, false, true],
    ['during-method-only', false, true, false],
    ['continuously', true, true, true],
  ])(
    'with the hypothesis strategy %s it looks before %j, during %j, after %j',
    async (hypothesisStrategy, before, during, after) => {
      const { seen } = await run(experiment({ hypothesisStrategy }))
      expect([seen.before?.met ?? false, seen.during.length > 0, seen.after?.met ?? false]).toEqual([
        before,
        during,
        after,
      ])
    },
  )

  it('goes on beside an activity in the background, and waits for its end', async () => {
    const method = [activity('load', { background: true }), activity('shake', { pauseBeforeMs: 100, pauseAfterMs: 50 })]
    const { done, seen, clock } = await run(experiment({ method }), {
      load: async (_, clock, signal) => {
        for (let turn = 0; turn < 5; turn++) await clock.sleep(10, signal)
        return 0
      },
    })
    expect(done).toEqual(['steady', 'load', 'shake', 'steady', 'back'])
    expect(seen.run).toHaveLength(2)
    expect(clock.now()).toBe(200)
  })

  it('is inconclusive where nothing could have failed', async () => {
    const { code, words } = await run(experiment({ hypothesis: undefined }))
    expect(code).toBe(3)
    expect(words).toMatch(/^inconclusive: no probe has a tolerance/)
  })

  it('writes the journal as the Chaos Toolkit does, without a secret', async () => {
    const source = { title: 'x', secrets: { api: { token: 'hunter22' } } }
    const { seen } = await run(experiment({ source }), { shake: boom })
    seen.run[0]!.output = { stdout: 'Bearer hunter22, aHVudGVyMjI=' }
    const journal = journalOf(experiment({ source }), seen, { startedAt: 0, endedAt: 1500 }, veilOf(['hunter22']))
    expect(journal).toMatchObject({
      start: '1970-01-01T00:00:00.000',
      duration: 1.5,
      status: 'failed',
      steady_states: {
        before: { steady_state_met: true, probes: [{ status: 'succeeded', tolerance_met: true }] },
        during: [],
      },
      run: [{ activity: { name: 'shake' }, status: 'failed', exception: ['boom'], output: { stdout: 'Bearer …, …' } }],
      rollbacks: [{ status: 'succeeded' }],
    })
    expect(JSON.stringify(journal)).not.toMatch(/hunter22|aHVudGVyMjI/)
  })
})
