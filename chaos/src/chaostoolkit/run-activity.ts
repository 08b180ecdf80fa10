import { formatDuration } from '@shaketable/slo'
import type { Clock } from '../world.ts'
import { mappedFunctions } from './mapped/index.ts'
import type { MappedContext } from './mapped/mapped.ts'
import type { Activity } from './model.ts'
import type { HttpAnswer, Outside, ProcessAnswer } from './outside.ts'
import { inWords, tolerated } from './tolerance.ts'

/** How an activity went. `failed`: it could not be done, or did not do what it says; or its probe is not tolerated. */
export interface Run {
  activity: Activity
  status: 'succeeded' | 'failed'
  output: unknown
  startedAt: number
  endedAt: number
  durationMs: number
  /** Of a probe with a tolerance. */
  toleranceMet: boolean | undefined
  /** Why it failed, in words. */
  why: string | undefined
}

export interface Running {
  clock: Clock
  outside: Outside
  mapped: Omit<MappedContext, 'signal' | 'clock'>
  /** Told of each as it ends. */
  ran(run: Run): void
}

/** Never rejects: whatever goes wrong is in the run. The pauses are part of it. */
export async function runActivity(activity: Activity, running: Running, signal: AbortSignal): Promise<Run> {
  const { clock } = running
  const run: Run = {
    activity,
    status: 'succeeded',
    output: null,
    startedAt: clock.wall(),
    endedAt: 0,
    durationMs: 0,
    toleranceMet: undefined,
    why: undefined,
  }
  let began = clock.now()
  try {
    if (activity.pauseBeforeMs > 0) await clock.sleep(activity.pauseBeforeMs, signal)
    signal.throwIfAborted()
    run.startedAt = clock.wall()
    began = clock.now()
    run.output = await perform(activity, running, signal)
    judge(run)
  } catch (error) {
    run.status = 'failed'
    if (activity.tolerance) run.toleranceMet = false
    run.why = signal.aborted ? `ended by ${signal.reason}` : error instanceof Error ? error.message : String(error)
  }
  run.durationMs = clock.now() - began
  run.endedAt = clock.wall()
  running.ran(run)
  if (activity.pauseAfterMs > 0) await clock.sleep(activity.pauseAfterMs, signal).catch(() => {})
  return run
}

function perform({ provider }: Activity, { outside, mapped, clock }: Running, signal: AbortSignal): Promise<unknown> {
  if (provider.type === 'http') return outside.http(provider, signal)
  if (provider.type === 'process') return outside.process(provider, signal)
  const known = mappedFunctions.get(provider.function)
  if (!known) throw new Error(`${provider.function} is unknown`)
  return known.run(provider.arguments, { ...mapped, clock, signal })
}

/** An action that answers with a refusal has hit nothing, which must not be green. */
function judge(run: Run): void {
  const { activity, output } = run
  if (activity.tolerance) {
    run.toleranceMet = tolerated(activity.tolerance, output)
    if (!run.toleranceMet) run.why = `expected ${inWords(activity.tolerance)}, saw ${shownOutput(output)}`
  } else if (activity.type === 'action' && activity.provider.type === 'http') {
    const { status } = output as HttpAnswer
    if (status >= 400) run.why = `it was refused with ${status}`
  } else if (activity.type === 'action' && activity.provider.type === 'process') {
    const { status, stderr } = output as ProcessAnswer
    if (status !== 0)
      run.why = `it exited with ${status}${stderr.trim() ? `: ${stderr.trim().split('\n').at(-1)}` : ''}`
  }
  if (run.why !== undefined && !activity.tolerance) run.status = 'failed'
}

/** Whether nothing is wrong with it. */
export const wentWell = (run: Run): boolean => run.why === undefined

/** Not cut short here: half a secret could not be hidden any more. */
function shownOutput(output: unknown): string {
  const answer = output as Partial<HttpAnswer & ProcessAnswer> | null
  const isHttp = typeof answer === 'object' && answer !== null && 'headers' in answer
  return JSON.stringify(isHttp ? { status: answer.status, body: answer.body } : output) ?? 'nothing'
}

export const lasted = ({ durationMs }: Run): string => formatDuration(Math.round(durationMs))
