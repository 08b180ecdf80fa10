import { exitCode } from '@shaketable/slo'
import type { ExperimentReport, SuiteReport, Verdict } from '../report/model.ts'

/** The gravest first: what the exit code of several experiments says. */
const byGravity = [
  ['fail', exitCode.fail],
  ['void', exitCode.void],
  ['inconclusive', exitCode.inconclusive],
  ['pass', exitCode.pass],
] as const satisfies [Verdict, number][]

/** Puts the reports of a run together: the gravest verdict, and 4 where a fault could not be undone. */
export function concludeSuite(run: {
  version: string
  experiments: ExperimentReport[]
  startedAtWall: number
  durationMs: number
  seed: number
  system: string
  env: Record<string, string>
  notUndone: string[]
}): SuiteReport {
  // Nothing measured is nothing proven.
  const found = byGravity.find(([verdict]) => run.experiments.some(each => each.verdict === verdict)) ?? byGravity[1]
  return {
    apiVersion: 'shaketable.dev/v1alpha1',
    kind: 'Report',
    shaketable: run.version,
    startedAt: new Date(run.startedAtWall).toISOString(),
    durationMs: run.durationMs,
    seed: run.seed,
    system: run.system,
    env: run.env,
    verdict: found[0],
    exitCode: run.notUndone.length > 0 ? exitCode.notUndone : found[1],
    experiments: run.experiments,
  }
}
