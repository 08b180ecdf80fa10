import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endProcesses } from '../targets/local/end-processes.ts'
import { isAlive, type ProcessIdentity, signalProcess } from '../targets/local/process-table.ts'
import { RunProcesses } from '../targets/local/run-processes.ts'
import { restoreAll as restoreProxies } from '../toxiproxy/restore.ts'
import type { Clock } from '../world.ts'
import { journalFile, type RecordedRun, removeRun } from './journal.ts'
import type { StatePlace } from './state.ts'

/** In all under 4 s, so that nothing of a killed run is alive 5 s later. */
const graces = { sigterm: 2000, sigint: 700, sigkill: 1000 }

/** What was undone, and what could not be, one sentence each. */
export interface Undone {
  undone: string[]
  problems: string[]
}

/**
 * Undoes a dead run from its journal, and proves it: resumes what is frozen, ends every process, starts and resumes the
 * containers that it had shaken, gives a cluster back what it had changed there, removes the run's folder. In-process faults
 * need nothing: they die with their processes, or their leases expire. Where something is left, the folder stays and says so. Used by the keeper, `sweep` and `halt`; two at once do not disturb one another.
 */
export async function undoRun(
  run: StatePlace & { dir: string; runId: string },
  recorded: RecordedRun,
  clock: Clock,
): Promise<Undone> {
  const processes = new RunProcesses(run.runId, recorded.started)
  const [{ resumed, ended, left }, containers, resources, proxies] = await Promise.all([
    endProcesses(processes, clock, graces),
    restoreContainers(recorded, clock),
    restoreResources(recorded, clock),
    restoreProxies(recorded.proxies, clock),
  ])
  const named = (pid: number) =>
    `${recorded.started.find(started => started.pid === pid)?.instance ?? 'process'} (pid ${pid})`

  const undone = [
    ...resumed.map(pid => `resumed ${named(pid)}`),
    ...ended.map(pid => `ended ${named(pid)}`),
    ...containers.undone,
    ...resources.undone,
    ...proxies.undone,
  ]
  const problems = [
    ...left.map(pid => `${named(pid)} is still alive`),
    ...containers.problems,
    ...resources.problems,
    ...proxies.problems,
  ]
  if (problems.length > 0) {
    const failed = { at: clock.wall(), type: 'undo-failed', problems }
    await appendFile(join(run.dir, journalFile), `${JSON.stringify(failed)}\n`).catch(() => {})
    return { undone, problems }
  }
  return {
    undone: [...undone, ...faultsGone(recorded), ...endKeeper(recorded.keeper), ...(await removeFolder(run))],
    problems: [],
  }
}

/** The client of the engine is large: a keeper of local processes never loads it. */
async function restoreContainers({ shaken }: RecordedRun, clock: Clock): Promise<Undone> {
  if (shaken.length === 0) return { undone: [], problems: [] }
  try {
    const { restoreAll } = await import('../targets/docker/restore.ts')
    return await restoreAll(shaken, clock)
  } catch (error) {
    const names = shaken.map(({ name }) => name).join(', ')
    return { undone: [], problems: [`the containers ${names} are not restored: ${(error as Error).message}`] }
  }
}

/** As is the client of a cluster. */
async function restoreResources({ resources }: RecordedRun, clock: Clock): Promise<Undone> {
  if (resources.length === 0) return { undone: [], problems: [] }
  try {
    const { restoreAll } = await import('../targets/kubernetes/restore.ts')
    return await restoreAll(resources, clock)
  } catch (error) {
    const names = resources.map(({ name }) => name).join(', ')
    return { undone: [], problems: [`${names}: not restored: ${(error as Error).message}`] }
  }
}

function faultsGone({ began, openFaults }: RecordedRun): string[] {
  return openFaults.map(({ fault, instances }) =>
    began && began.target !== 'local'
      ? `fault ${fault} on ${instances.join(', ')} is undone, or ends with its lease within 3 s`
      : `fault ${fault} is gone with the processes of ${instances.join(', ')}`,
  )
}

/** One that still stands when all is undone is frozen, or slower than we were: it has nothing left to do. */
function endKeeper(keeper: ProcessIdentity | undefined): string[] {
  if (!keeper || keeper.pid === process.pid || !isAlive(keeper)) return []
  signalProcess(keeper, 'SIGKILL')
  return [`ended the keeper (pid ${keeper.pid})`]
}

/** A folder that cannot be removed holds nothing that acts; it is told and found again by the next sweep. */
async function removeFolder(run: StatePlace & { dir: string }): Promise<string[]> {
  try {
    await removeRun(run)
    return [`removed ${run.dir}`]
  } catch (error) {
    return [`could not remove ${run.dir}: ${(error as Error).message}`]
  }
}
