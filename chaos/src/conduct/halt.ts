import { isAlive, signalProcess } from '../targets/local/process-table.ts'
import type { World } from '../world.ts'
import { type FoundRun, findRuns, type SweepResult, type SweptRun, systemOf, undoFound } from './sweep.ts'

/** How long a runner may take to undo its own run before it is killed and its run undone from the journal, in ms. */
const goneWithinMs = 5000
const pollMs = 50

/**
 * The red button: ends every live run of this user on this machine. Its runner is asked to undo (SIGTERM); one that is not
 * gone after 5 s is killed, and its run undone from the journal. Dead runs are `sweep`'s.
 */
export async function halt(world: World): Promise<SweepResult> {
  const live = (await findRuns(world.env)).filter(run => run.state === 'live' && run.recorded.began)
  return { runs: await Promise.all(live.map(run => haltRun(run, world))) }
}

async function haltRun(run: FoundRun, world: World): Promise<SweptRun> {
  const runner = run.recorded.began as NonNullable<FoundRun['recorded']['began']>
  signalProcess(runner, 'SIGTERM')
  // A stopped runner would not hear it.
  signalProcess(runner, 'SIGCONT')
  const byItself = await goneWithin(goneWithinMs, runner, world)
  if (!byItself) {
    signalProcess(runner, 'SIGKILL')
    await goneWithin(goneWithinMs, runner, world)
  }
  if (isAlive(runner)) {
    const problems = [`the runner (pid ${runner.pid}) is still alive`]
    return { runId: run.runId, system: systemOf(run), state: 'failed', undone: [], problems }
  }
  const how = byItself ? 'ended on SIGTERM' : `killed: it had not ended ${goneWithinMs / 1000} s after SIGTERM`
  // Read anew: much may have happened since. What the runner or its keeper has removed needs only the proof.
  const left = (await findRuns(world.env)).find(({ runId }) => runId === run.runId)
  const outcome = await undoFound(
    { ...run, recorded: left?.recorded.began ? left.recorded : run.recorded },
    world.clock,
  )
  return { ...outcome, undone: [`runner (pid ${runner.pid}) ${how}`, ...outcome.undone] }
}

async function goneWithin(ms: number, runner: { pid: number; startTime: string }, world: World): Promise<boolean> {
  for (const until = world.clock.now() + ms; isAlive(runner); ) {
    if (world.clock.now() >= until) return false
    await world.clock.sleep(pollMs)
  }
  return true
}
