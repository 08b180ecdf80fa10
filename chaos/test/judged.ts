/** Verdicts on made-up runs, and what most of them are about. */
import { type MadeUp, madeUpRun, objectiveOf, phasesOf, ratePerSecond } from '../bench/made-up-run.ts'
import type { LoadSample } from '../src/load/load.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'

export const phases = phasesOf()
export const available = objectiveOf('available')
/** Requests of fault and recovery. */
export const judgedCount = 18 * ratePerSecond
export const failed: Partial<LoadSample> = { status: 503 }

export const during = (from: number, to: number, answer: Partial<LoadSample>) => (ms: number) =>
  ms >= from && ms < to ? answer : undefined

export const judge = (made?: MadeUp) => judgeExperiment(madeUpRun(made))

/** The verdict and its reasons in one line. */
export const said = (made?: MadeUp) => {
  const { verdict, reasons } = judge(made)
  return [verdict, ...reasons].join('; ')
}

export const withCounters = (counted: { good: number; total: number; instanceLost?: boolean } | undefined) => ({
  counters: { available: counted && { instanceLost: false, ...counted } },
})
