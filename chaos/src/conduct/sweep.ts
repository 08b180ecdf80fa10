import { hereAndNow, isAlive, seeProcess } from '../targets/local/process-table.ts'
import type { Clock, World } from '../world.ts'
import { type RecordedRun, readJournal, runnerOf } from './journal.ts'
import { runFolders, type StatePlace } from './state.ts'
import { type Undone, undoRun } from './undo.ts'

/** What became of each run that had left a trace on this machine. */
export interface SweepResult {
  runs: SweptRun[]
}

export interface SweptRun extends Undone {
  runId: string
  /** The name of the system, `?` where the run died before it wrote it down. */
  system: string
  /** `live`: its runner is alive, and it was left alone. */
  state: 'live' | 'swept' | 'failed'
}

/** A run with its folder and what its journal says. */
export interface FoundRun extends StatePlace {
  runId: string
  dir: string
  recorded: RecordedRun
  state: 'live' | 'dead' | 'elsewhere' | 'before this boot'
}

/** Undoes what dead runs left behind, also after the death of the whole host, and proves it. Leaves live runs alone. */
export async function sweep(world: World): Promise<SweepResult> {
  const runs: SweptRun[] = []
  for (const run of await findRuns(world.env)) {
    runs.push(run.state === 'live' || run.state === 'elsewhere' ? leftAlone(run) : await undoFound(run, world.clock))
  }
  return { runs }
}

/** All runs of this user that have left a trace, the oldest first. */
export async function findRuns(env: NodeJS.ProcessEnv): Promise<FoundRun[]> {
  const folders = await runFolders(env)
  return folders
    .filter(({ runId }) => runnerOf(runId) !== undefined)
    .sort((a, b) => (a.runId < b.runId ? -1 : 1))
    .map(folder => {
      const recorded = readJournal(folder.dir)
      return { ...folder, recorded, state: stateOf(folder.runId, recorded) }
    })
}

/** Undoes a run whose runner is dead. */
export async function undoFound(run: FoundRun, clock: Clock): Promise<SweptRun> {
  // Pids of another boot mean nothing any more: only the files are left.
  const recorded = run.state === 'before this boot' ? { ...run.recorded, keeper: undefined, started: [] } : run.recorded
  const stays = recorded.began?.stays ?? run.stays
  const outcome = await undoRun({ ...run, stays }, recorded, clock)
  return { runId: run.runId, system: systemOf(run), state: outcome.problems.length ? 'failed' : 'swept', ...outcome }
}

export const systemOf = (run: FoundRun): string => run.recorded.began?.system ?? '?'

function leftAlone(run: FoundRun): SweptRun {
  const elsewhere = run.state === 'elsewhere'
  return {
    runId: run.runId,
    system: systemOf(run),
    state: 'live',
    undone: elsewhere ? ['left alone: it belongs to another container, sweep it there'] : [],
    problems: [],
  }
}

function stateOf(runId: string, { began }: RecordedRun): FoundRun['state'] {
  // It died, or lives, between making its folder and writing its first line.
  if (!began) return seeProcess(runnerOf(runId) as number) ? 'live' : 'dead'
  const here = hereAndNow()
  if (began.boot !== here.boot) return 'before this boot'
  if (began.pidNamespace !== here.pidNamespace) return 'elsewhere'
  return isAlive(began) ? 'live' : 'dead'
}
