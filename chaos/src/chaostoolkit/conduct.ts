import type { Activity, ToolkitExperiment } from './model.ts'
import { type Run, type Running, runActivity, wentWell } from './run-activity.ts'

/** One look at the hypothesis. */
export interface SteadyState {
  met: boolean
  probes: Run[]
}

export interface Conducted {
  before: SteadyState | undefined
  during: SteadyState[]
  after: SteadyState | undefined
  run: Run[]
  rollbacks: Run[]
  /** Whether its rollbacks were to be done and were. */
  rolledBack: boolean
  /** The signal that ended it early. */
  interrupted: string | undefined
}

/**
 * Does what the experiment says. Once its method has begun, its rollbacks are done whatever happens: a probe refused, an action
 * failed, a signal. Never rejects for anything that an activity does.
 */
export async function conduct(
  experiment: ToolkitExperiment,
  running: Running,
  signal: AbortSignal,
): Promise<Conducted> {
  const { hypothesisStrategy: strategy } = experiment
  const seen: Conducted = {
    before: undefined,
    during: [],
    after: undefined,
    run: [],
    rollbacks: [],
    rolledBack: false,
    interrupted: undefined,
  }
  const looksBefore = ['default', 'before-method-only', 'continuously'].includes(strategy)
  const looksDuring = ['during-method-only', 'continuously'].includes(strategy)
  const looksAfter = ['default', 'after-method-only', 'continuously'].includes(strategy)

  if (looksBefore) seen.before = await look(experiment, running, signal)
  const begins = !signal.aborted && seen.before?.met !== false
  if (begins) {
    const over = new AbortController()
    const during = looksDuring ? watch(experiment, running, seen.during, over.signal, signal) : undefined
    await runMethod(experiment.method, running, seen.run, signal)
    over.abort()
    await during
    if (looksAfter && !signal.aborted) seen.after = await look(experiment, running, signal)
  }
  seen.interrupted = signal.aborted ? String(signal.reason) : undefined
  if (isToRollBack(experiment, seen, begins)) {
    // What undoes must not be ended by what ended the rest.
    const { signal: unending } = new AbortController()
    for (const rollback of experiment.rollbacks) seen.rollbacks.push(await runActivity(rollback, running, unending))
    seen.rolledBack = true
  }
  return seen
}

function isToRollBack(
  { rollbackStrategy: strategy, rollbacks }: ToolkitExperiment,
  seen: Conducted,
  begun: boolean,
): boolean {
  if (rollbacks.length === 0 || strategy === 'never') return false
  if (strategy === 'always') return true
  return begun && (strategy === 'default' || !stood(seen))
}

/** Nothing was refused, failed or cut short. */
export function stood({ before, during, after, run, interrupted }: Conducted): boolean {
  const looks = [before, ...during, after].filter(each => each !== undefined)
  return looks.every(each => each.met) && run.every(wentWell) && interrupted === undefined
}

/** Ends at the first probe that is refused, as the rest can change nothing. */
async function look(
  { hypothesis }: ToolkitExperiment,
  running: Running,
  signal: AbortSignal,
): Promise<SteadyState | undefined> {
  if (!hypothesis) return undefined
  const probes: Run[] = []
  for (const probe of hypothesis.probes) {
    const run = await runActivity(probe, running, signal)
    probes.push(run)
    if (!wentWell(run)) return { met: false, probes }
  }
  return { met: true, probes }
}

/** Looks again and again until the method is over, and once at least; a look under way is finished. */
async function watch(
  experiment: ToolkitExperiment,
  running: Running,
  looks: SteadyState[],
  over: AbortSignal,
  signal: AbortSignal,
): Promise<void> {
  const ended = AbortSignal.any([over, signal])
  do {
    const state = await look(experiment, running, signal)
    // One that the signal cut short tells nothing of the system.
    if (state && !signal.aborted) looks.push(state)
    await running.clock.sleep(experiment.everyMs, ended).catch(() => {})
  } while (!ended.aborted)
}

/** One after the other, those in the background beside them; an action that fails ends it, since the rest builds on it. */
async function runMethod(method: Activity[], running: Running, runs: Run[], signal: AbortSignal): Promise<void> {
  const beside: Promise<void>[] = []
  for (const activity of method) {
    if (signal.aborted || runs.some(run => run.activity.type === 'action' && !wentWell(run))) break
    const done = runActivity(activity, running, signal).then(run => void runs.push(run))
    if (activity.background) beside.push(done)
    else await done
  }
  await Promise.all(beside)
}
