import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { FaultKind } from '../experiment/model.ts'
import { type ShakenContainer, shakenKey } from '../targets/docker/shaken.ts'
import type { ShakenResource } from '../targets/kubernetes/restore.ts'
import { hereAndNow, type ProcessIdentity, seeProcess } from '../targets/local/process-table.ts'
import type { Target } from '../targets/target.ts'
import type { ShakenProxy } from '../toxiproxy/restore.ts'
import type { World } from '../world.ts'
import { makeRunFolder, removeEmptyParents, type StatePlace } from './state.ts'

/** What a run is about to do or has done, a line each. Never a key, an environment or a request. */
export type JournalEntry =
  | {
      type: 'run-began'
      system: string
      target: Target['kind']
      /** The runner. */
      pid: number
      startTime: string
      boot: string
      pidNamespace: string
      /** The nearest folder above the run's that stays when all is removed. */
      stays: string
    }
  | { type: 'keeper-started'; pid: number; startTime: string }
  | { type: 'process-starting'; instance: string }
  | { type: 'process-started'; instance: string; pid: number; startTime: string; pgid: number }
  | { type: 'process-ended'; instance: string; pid: number }
  | ({ type: 'container-shaking' } & ShakenContainer)
  | ({ type: 'container-restored' } & Pick<ShakenContainer, 'instance' | 'container' | 'memberships' | 'limits'>)
  | ({ type: 'proxy-shaking' | 'proxy-restored' } & ShakenProxy)
  | ({ type: 'resource-shaking' } & ShakenResource)
  | { type: 'resource-restored'; path: string }
  | { type: 'fault-arming'; fault: string; instance: string; kind: FaultKind }
  | { type: 'fault-armed'; fault: string; instances: string[]; kind: FaultKind }
  | { type: 'fault-undone'; fault: string; instances: string[]; kind: FaultKind }
  | { type: 'undo-failed'; problems: string[] }
  | { type: 'run-ended'; clean: boolean }

/** The write-ahead journal of one run, in a folder of its own. */
export interface Journal {
  readonly runId: string
  /** The folder; gone after a clean end. */
  readonly dir: string
  /** Resolves once the entry is on disk. Do afterwards what it announces. */
  append(entry: JournalEntry): Promise<void>
  /** Clean: nothing is left to undo, and the folder is removed. Otherwise it stays for `sweep`. Idempotent. */
  close(end: { clean: boolean }): Promise<void>
}

export const journalFile = 'journal.jsonl'

/** Opens the journal of a new run. Rejects where no folder for it can be written. */
export async function openJournal(world: World, run: { system: string; target?: Target['kind'] }): Promise<Journal> {
  const runId = newRunId(world)
  const { dir, runs, stays } = await makeRunFolder(world.env, runId)
  const file = await open(join(dir, journalFile), 'ax', 0o600)
  let last: Promise<unknown> = Promise.resolve()
  let closing: Promise<void> | undefined

  const append = (entry: JournalEntry): Promise<void> => {
    if (closing) return Promise.reject(new Error(`the journal of ${runId} is closed: ${entry.type}`))
    return write(entry)
  }
  const write = (entry: JournalEntry): Promise<void> => {
    const line = `${JSON.stringify({ at: world.clock.wall(), ...entry })}\n`
    const written = last.then(async () => {
      await file.appendFile(line)
      await file.datasync()
    })
    last = written.catch(() => {})
    return written
  }
  const close = async (clean: boolean): Promise<void> => {
    await write({ type: 'run-ended', clean }).catch(() => {})
    await file.close()
    if (clean) await removeRun({ dir, runs, stays })
  }

  try {
    const startTime = seeProcess(process.pid)?.startTime ?? ''
    const { system, target = 'local' } = run
    await append({ type: 'run-began', system, target, pid: process.pid, startTime, ...hereAndNow(), stays })
    await syncFolder(dir)
  } catch (cause) {
    await close(true).catch(() => {})
    throw cause
  }
  return {
    runId,
    dir,
    append,
    close: ({ clean }) => {
      closing ??= close(clean)
      return closing
    },
  }
}

/** Removes a run's folder, and then its parents as far as they are empty. */
export async function removeRun(run: StatePlace & { dir: string }): Promise<void> {
  await rm(run.dir, { recursive: true, force: true, maxRetries: 3 })
  await removeEmptyParents(run)
}

/** What a journal tells about its run. */
export interface RecordedRun {
  began: Extract<JournalEntry, { type: 'run-began' }> | undefined
  keeper: ProcessIdentity | undefined
  /** Every process that was started; most are long dead. */
  started: (ProcessIdentity & { instance: string })[]
  /** Containers that were to be paused or stopped, and never reported restored. */
  shaken: ShakenContainer[]
  /** Proxies of Toxiproxy that were to be disturbed, and never reported restored. */
  proxies: ShakenProxy[]
  /** What was to be changed in a cluster, and never reported restored. */
  resources: ShakenResource[]
  /** Faults that were announced and never reported undone, by their id. */
  openFaults: { fault: string; kind: FaultKind; instances: string[] }[]
}

/** Reads a journal, also one whose last line was cut off by a death. A run that wrote none has recorded nothing. */
export function readJournal(dir: string): RecordedRun {
  const run: RecordedRun = {
    began: undefined,
    keeper: undefined,
    started: [],
    shaken: [],
    proxies: [],
    resources: [],
    openFaults: [],
  }
  const faults = new Map<string, RecordedRun['openFaults'][number]>()
  const shaken = new Map<string, ShakenContainer>()
  const resources = new Map<string, ShakenResource>()
  const proxies = new Map<string, ShakenProxy>()
  for (const line of linesOf(join(dir, journalFile))) {
    const entry = parse(line)
    if (entry?.type === 'run-began') run.began = entry
    if (entry?.type === 'keeper-started') run.keeper = { pid: entry.pid, startTime: entry.startTime }
    if (entry?.type === 'process-started') {
      run.started.push({ instance: entry.instance, pid: entry.pid, startTime: entry.startTime })
    }
    if (entry?.type === 'container-shaking') {
      const { instance, name, container, engine, memberships, limits } = entry
      shaken.set(shakenKey(entry), { instance, name, container, engine, memberships, limits })
    }
    if (entry?.type === 'container-restored') shaken.delete(shakenKey(entry))
    if (entry?.type === 'proxy-shaking' || entry?.type === 'proxy-restored') {
      const { api, proxy, toxic } = entry
      const key = JSON.stringify([api, proxy, toxic])
      if (entry.type === 'proxy-shaking') proxies.set(key, { api, proxy, toxic })
      else proxies.delete(key)
    }
    if (entry?.type === 'resource-shaking') {
      const { cluster, path, name, undo } = entry
      resources.set(path, { cluster, path, name, undo })
    }
    if (entry?.type === 'resource-restored') resources.delete(entry.path)
    if (entry?.type === 'fault-arming') {
      const { fault, kind, instance } = entry
      faults.set(fault, { fault, kind, instances: [...(faults.get(fault)?.instances ?? []), instance] })
    }
    if (entry?.type === 'fault-undone') faults.delete(entry.fault)
  }
  run.openFaults = [...faults.values()]
  run.shaken = [...shaken.values()]
  run.resources = [...resources.values()]
  run.proxies = [...proxies.values()]
  return run
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function parse(line: string): JournalEntry | undefined {
  try {
    return JSON.parse(line) as JournalEntry
  } catch {
    return undefined
  }
}

/** Sorts by time; the pid tells whose it is before the journal's first line does. */
function newRunId(world: World): string {
  const time = new Date(world.clock.wall()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  return `${time}-${process.pid}-${randomBytes(3).toString('hex')}`
}

/** The pid in a run's id, or `undefined` if it is no id of ours. */
export function runnerOf(runId: string): number | undefined {
  const pid = /^\d{8}-\d{6}-(\d+)-[0-9a-f]{6}$/.exec(runId)?.[1]
  return pid === undefined ? undefined : Number(pid)
}

/** So that the folder's entry survives the death of the host too; some file systems refuse it. */
async function syncFolder(dir: string): Promise<void> {
  const folder = await open(dir, 'r')
  await folder.sync().catch(() => {})
  await folder.close()
}
