import { exitCode } from '@shaketable/slo'
import { exitCodeOf } from '../ending-signals.ts'
import type { Conducted } from './conduct.ts'
import { isDeviated } from './journal.ts'
import type { ToolkitExperiment } from './model.ts'
import { wentWell } from './run-activity.ts'

export interface ToolkitVerdict {
  exitCode: number
  /** One line, for people. */
  words: string
}

/** The Toolkit's journal has words of its own; this is what a run of ours exits with, and why. The gravest comes first. */
export function verdictOf(
  experiment: ToolkitExperiment,
  seen: Conducted,
  notUndone: readonly string[],
  signal: AbortSignal,
): ToolkitVerdict {
  const unmade = [
    ...seen.rollbacks.filter(run => !wentWell(run)).map(({ activity, why }) => `${activity.name}: ${why}`),
    ...notUndone,
  ]
  if (unmade.length > 0) return { exitCode: exitCode.notUndone, words: `not rolled back: ${unmade.join('; ')}` }
  if (seen.interrupted !== undefined) {
    return { exitCode: exitCodeOf(signal) ?? exitCode.ownError, words: `ended by ${seen.interrupted}` }
  }
  if (seen.before?.met === false) {
    return {
      exitCode: exitCode.void,
      words: 'void: the steady state did not hold to begin with, so that nothing was done',
    }
  }
  const failed = seen.run.find(run => !wentWell(run))
  if (failed)
    return { exitCode: exitCode.fail, words: `fail: ${failed.activity.type} ${failed.activity.name}: ${failed.why}` }
  const { during } = seen
  const bad = during.filter(look => !look.met).length
  if (bad > 0)
    return {
      exitCode: exitCode.fail,
      words: `fail: the steady state was lost, in ${bad} of ${during.length} looks during the method`,
    }
  if (isDeviated(seen))
    return { exitCode: exitCode.fail, words: 'fail: the steady state was not there after the method' }
  if (!couldFail(experiment)) {
    return {
      exitCode: exitCode.inconclusive,
      words: 'inconclusive: no probe has a tolerance, so that nothing could have failed',
    }
  }
  return { exitCode: exitCode.pass, words: 'pass' }
}

function couldFail({ hypothesis, hypothesisStrategy, method }: ToolkitExperiment): boolean {
  // What was looked at only before tells nothing of what came then.
  const looked = hypothesisStrategy === 'before-method-only' ? [] : (hypothesis?.probes ?? [])
  return [...looked, ...method].some(({ tolerance }) => tolerance !== undefined)
}
