import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { hereAndNow, seeProcess } from '../targets/local/process-table.ts'
import { processWorld, type World } from '../world.ts'
import { type Journal, journalFile, openJournal, readJournal, runnerOf } from './journal.ts'
import { startKeeper } from './keeper.ts'
import { sweep } from './sweep.ts'

let dir: string
let world: World
const journals: Journal[] = []

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'sweep-'))
  world = {
    ...processWorld(new AbortController().signal),
    env: { ...process.env, SHAKETABLE_STATE: join(dir, 'state') },
  }
})
afterEach(async () => {
  for (const journal of journals.splice(0)) await journal.close({ clean: true })
  await rm(dir, { recursive: true })
})

const open = async () => {
  const journal = await openJournal(world, { system: 'shop' })
  journals.push(journal)
  return journal
}
const self = () => ({ pid: process.pid, startTime: seeProcess(process.pid)?.startTime as string })

/** The folder of a run that some runner left, as its journal would have it. */
async function left(began: object | undefined, more: object[] = []): Promise<string> {
  const runId = '20261121-000000-4194305-abcdef'
  const run = join(dir, 'state', 'runs', runId)
  await mkdir(run, { recursive: true })
  const base = { type: 'run-began', system: 'shop', pid: 4_194_305, startTime: '1', ...hereAndNow(), stays: dir }
  const entries = began ? [{ ...base, ...began }, ...more] : []
  if (began) await writeFile(join(run, journalFile), entries.map(entry => `${JSON.stringify(entry)}\n`).join(''))
  return runId
}

describe('the journal', () => {
  it('has each entry on disk, in order, once append has resolved', async () => {
    const journal = await open()
    await Promise.all([
      journal.append({ type: 'process-starting', instance: 'orders-1' }),
      journal.append({ type: 'process-started', instance: 'orders-1', pid: 7, startTime: '99', pgid: 7 }),
    ])
    const lines = (await readFile(join(journal.dir, journalFile), 'utf8')).trimEnd().split('\n')
    expect(lines.map(line => JSON.parse(line).type)).toEqual(['run-began', 'process-starting', 'process-started'])
    expect(runnerOf(journal.runId)).toBe(process.pid)
    expect(readJournal(journal.dir)).toMatchObject({ began: self(), started: [{ instance: 'orders-1', pid: 7 }] })
  })

  it('leaves no file after a clean end, and all of it after another', async () => {
    const kept = await open()
    const gone = await open()
    await gone.close({ clean: true })
    expect(await readdir(join(dir, 'state', 'runs'))).toEqual([kept.runId])
    await kept.close({ clean: false })
    expect(await readdir(kept.dir)).toEqual([journalFile])
    await rm(kept.dir, { recursive: true })
  })

  it('refuses entries after its end', async () => {
    const journal = await open()
    await journal.close({ clean: true })
    await expect(journal.append({ type: 'process-starting', instance: 'orders-1' })).rejects.toThrow('is closed')
    expect(await readdir(dir)).toEqual([])
  })

  it('is read up to a line that a death cut off, and knows which faults are open', async () => {
    const journal = await open()
    await journal.append({ type: 'fault-arming', fault: 'slow', instance: 'a-1', kind: 'latency' })
    await journal.append({ type: 'fault-arming', fault: 'stuck', instance: 'a-1', kind: 'freeze' })
    await journal.append({ type: 'fault-arming', fault: 'stuck', instance: 'a-2', kind: 'freeze' })
    await journal.append({ type: 'fault-undone', fault: 'slow', instances: ['a-1'], kind: 'latency' })
    await appendFile(join(journal.dir, journalFile), '{"type":"fault-und')
    expect(readJournal(journal.dir).openFaults).toEqual([{ fault: 'stuck', kind: 'freeze', instances: ['a-1', 'a-2'] }])
  })
})

describe('sweep', () => {
  it('has nothing to say where there is nothing', async () => {
    expect(await sweep(world)).toEqual({ runs: [] })
  })

  it('leaves a live run alone', async () => {
    const { runId } = await open()
    expect((await sweep(world)).runs).toMatchObject([{ runId, system: 'shop', state: 'live' }])
  })

  it('removes what a run left that died before its first line', async () => {
    const runId = await left(undefined)
    expect((await sweep(world)).runs).toMatchObject([{ runId, system: '?', state: 'swept', problems: [] }])
    expect(await readdir(dir)).toEqual([])
  })

  it('removes only the files of a run from before the last boot, whoever bears its pids now', async () => {
    const { pid, startTime } = self()
    const started = { type: 'process-started', instance: 'orders-1', pid, startTime, pgid: pid }
    await left({ boot: 'an earlier one' }, [started])
    expect((await sweep(world)).runs).toMatchObject([{ state: 'swept', undone: [expect.stringContaining('removed')] }])
    expect(await readdir(dir)).toEqual([])
  })

  it('leaves the run of another container alone', async () => {
    await left({ pidNamespace: 'pid:[1]' })
    expect((await sweep(world)).runs).toMatchObject([{ state: 'live', problems: [] }])
  })

  it('takes a runner whose pid went to another process for dead', async () => {
    await left({ pid: process.pid, startTime: 'before' })
    expect((await sweep(world)).runs).toMatchObject([{ state: 'swept' }])
  })

  it('does not touch what is no run', async () => {
    await mkdir(join(dir, 'state', 'runs', 'something-else'), { recursive: true })
    expect(await sweep(world)).toEqual({ runs: [] })
    expect(await readdir(join(dir, 'state', 'runs'))).toEqual(['something-else'])
  })
})

describe('the runner', () => {
  it('hears of it when its keeper dies', async () => {
    const keeper = await startKeeper(world, await open())
    process.kill(keeper.pid, 'SIGKILL')
    expect(await keeper.died).toBe('the keeper died (SIGKILL)')
    keeper.beat()
    await keeper.release()
  })

  it('releases its keeper without a word of death', async () => {
    const keeper = await startKeeper(world, await open())
    await keeper.release()
    expect(await Promise.race([keeper.died, Promise.resolve('released')])).toBe('released')
    expect(seeProcess(keeper.pid)).toBeUndefined()
  })
})
