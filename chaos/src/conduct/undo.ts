import { appendFile } from 'node:fs/promises'
import { join } from 'node:path'
import { endProcesses } from '../targets/local/end-processes.ts'
import { isAlive, type ProcessIdentity, signalProcess } from '../targets/local/process-table.ts'
import { RunProcesses } from '../targets/local/run-processes.ts'
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
 * Undoes a dead run from its journal, and proves it: resumes what is frozen, ends every process, removes the run's folder.
 * In-process faults need nothing: they die with their processes, and their leases would expire. Where something is left,
 * the folder stays and says so. Used by the keeper, `sweep` and `halt`; two at once do not disturb one another.
 */
export async function undoRun(
  run: StatePlace & { dir: string; runId: string },
  recorded: RecordedRun,
  clock: Clock,
): Promise<Undone> {
  const processes = new RunProcesses(run.runId, recorded.started)
  const { resumed, ended, left } = await endProcesses(processes, clock, graces)
  const named = (pid: number) =>
    `${recorded.started.find(started => started.pid === pid)?.instance ?? 'process'} (pid ${pid})`

  const undone = [
    ...resumed.map(pid => `resumed ${named(pid)}`),
    ...ended.map(pid => `ended ${named(pid)}`),
    ...recorded.openFaults.map(
      ({ fault, instances }) => `fault ${fault} is gone with the processes of ${instances.join(', ')}`,
    ),
  ]
  if (left.length > 0) {
    const problems = left.map(pid => `${named(pid)} is still alive`)
    const failed = { at: clock.wall(), type: 'undo-failed', problems }
    await appendFile(join(run.dir, journalFile), `${JSON.stringify(failed)}\n`).catch(() => {})
    return { undone: undone.slice(0, resumed.length + ended.length), problems }
  }
  return { undone: [...undone, ...endKeeper(recorded.keeper), ...(await removeFolder(run))], problems: [] }
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
