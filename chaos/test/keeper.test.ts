import { describe, it, type TestContext, vi } from 'vitest'
import { halt } from '../src/conduct/halt.ts'
import { sweep } from '../src/conduct/sweep.ts'
import { type Drive, drive } from './fixtures/small-system/drive.ts'

const within = { timeout: 10_000, interval: 50 }
vi.setConfig({ maxConcurrency: 3 })

async function begin({ onTestFinished }: TestContext, mode?: string): Promise<Drive> {
  const one = await drive(mode)
  onTestFinished(() => one.clear())
  return one
}

describe.concurrent('the keeper', () => {
  it('leaves with its run, which leaves no process and no file', async context => {
    const { expect } = context
    const run = await begin(context, 'end')
    const runId = await run.told('run')
    await run.told('frozen')
    expect(run.keeperAlive()).toBe(true)
    await run.told('ended')
    await run.exited
    expect(run.alive(runId)).toEqual([])
    expect(run.keeperAlive()).toBe(false)
    expect(await run.folders()).toEqual([])
  })

  it('undoes the run of a frozen runner, for it hears no heartbeat', async context => {
    const { expect } = context
    const run = await begin(context)
    const runId = await run.told('run')
    await run.told('frozen')
    expect(run.alive(runId).length).toBeGreaterThanOrEqual(5)
    run.child.kill('SIGSTOP')
    await expect.poll(() => run.alive(runId), within).toEqual([])
    await expect.poll(() => run.keeperAlive(), within).toBe(false)
    expect(await run.folders()).toEqual([])
  })
})

describe.concurrent('sweep', () => {
  it('undoes what runner and keeper left when both were killed, and is clean afterwards', async context => {
    const { expect } = context
    const run = await begin(context)
    const runId = await run.told('run')
    await run.told('frozen')
    process.kill(Number(await run.told('keeper')), 'SIGKILL')
    run.child.kill('SIGKILL')
    await run.exited
    expect(run.alive(runId).length).toBeGreaterThanOrEqual(5)

    const { runs } = await sweep(run.world)
    expect(runs).toEqual([{ runId, system: 'small', state: 'swept', undone: expect.any(Array), problems: [] }])
    const undone = runs[0]?.undone.join('\n')
    expect(undone).toMatch(/resumed front-1 \(pid \d+\)/)
    expect(undone).toMatch(/ended price-store-1 \(pid \d+\)/)
    expect(undone).toContain('fault freeze-front is gone with the processes of front-1')
    expect(undone).toMatch(/removed .+/)
    expect(run.alive(runId)).toEqual([])
    expect(await sweep(run.world)).toEqual({ runs: [] })
  })

  it('names a live run and leaves it alone', async context => {
    const { expect } = context
    const run = await begin(context)
    const runId = await run.told('run')
    await run.told('frozen')
    const before = run.alive(runId)
    expect(await sweep(run.world)).toEqual({
      runs: [{ runId, system: 'small', state: 'live', undone: [], problems: [] }],
    })
    expect(run.alive(runId)).toEqual(before)
  })
})

describe.concurrent('halt', () => {
  it('has the runner undo its run', async context => {
    const { expect } = context
    const run = await begin(context)
    const runId = await run.told('run')
    await run.told('frozen')
    const { runs } = await halt(run.world)
    expect(runs).toMatchObject([{ runId, state: 'swept', problems: [] }])
    expect(runs[0]?.undone[0]).toMatch(/runner \(pid \d+\) ended on SIGTERM/)
    await run.told('ended')
    expect(run.alive(runId)).toEqual([])
    expect(await run.folders()).toEqual([])
  })

  it('kills a runner that does not listen, and undoes its run', async context => {
    const { expect } = context
    const run = await begin(context, 'deaf')
    const runId = await run.told('run')
    await run.told('frozen')
    const { runs } = await halt(run.world)
    expect(runs).toMatchObject([{ runId, state: 'swept', problems: [] }])
    expect(runs[0]?.undone[0]).toContain('killed: it had not ended 5 s after SIGTERM')
    await run.exited
    expect(run.alive(runId)).toEqual([])
    await expect.poll(() => run.keeperAlive(), within).toBe(false)
    expect(await run.folders()).toEqual([])
  })
})
