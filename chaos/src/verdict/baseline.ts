import type { ExpectationReport, ExperimentReport, PhaseLoadReport, Verdict } from '../report/model.ts'
import { duration } from '../report/units.ts'
import { percent } from './percent.ts'
import { valued } from './phase-latencies.ts'
import { differenceInterval } from './quantiles.ts'
import { deviations95, deviationsOf } from './statistics.ts'

/** Slower by less than this, or this share, is no regression, however sure it is. */
const latencySlackMs = 2
const latencySlackShare = 0.1
/** Neither is so much more of failed requests. */
const failedSlack = 0.002
const quantiles = ['p50', 'p90', 'p99'] as const

/** One number, now and then, and the interval of what it grew by. */
interface Comparison {
  what: string
  slack: number
  low: number | null
  words: string
}

/**
 * The report of an experiment with one expectation more: that nothing got surely worse than in an earlier report of the same
 * experiment. Surely: the lower end of the difference, corrected for the number of comparisons (Bonferroni), is over the slack.
 */
export function comparedWith(
  report: ExperimentReport,
  earlier: ExperimentReport | undefined,
  file: string,
): ExperimentReport {
  const name = `no regression against ${file}`
  const add = (verdict: Verdict, detail: string): ExperimentReport => {
    const expectation: ExpectationReport = { name, verdict, detail, names: [] }
    const graver = verdict === 'fail' && (report.verdict === 'pass' || report.verdict === 'inconclusive')
    return {
      ...report,
      verdict: graver ? 'fail' : report.verdict,
      reasons: verdict === 'pass' ? report.reasons : [...report.reasons, `${name}: ${detail}`],
      expectations: [...report.expectations, expectation],
    }
  }
  if (report.verdict === 'void') return report
  if (!earlier || earlier.verdict === 'void' || earlier.phaseLoads.length === 0) {
    return add('pass', 'it has nothing of this experiment to compare with')
  }
  const pairs = report.phaseLoads.flatMap(now => {
    const then = earlier.phaseLoads.find(each => each.journey === now.journey && each.phase === now.phase)
    return then && now.requests > 0 && then.requests > 0 ? [{ now, then }] : []
  })
  const count = pairs.length * (quantiles.length + 1)
  const widen = deviationsOf(1 - 0.05 / Math.max(1, count)) / deviations95
  const worse = pairs
    .flatMap(({ now, then }) => comparisons(now, then, widen))
    .filter(({ low, slack }) => low !== null && low > slack)
  if (worse.length > 0) return add('fail', worse.map(({ what, words }) => `${what} ${words}`).join('; '))
  return add('pass', `of ${count} numbers none is surely worse`)
}

function comparisons(now: PhaseLoadReport, then: PhaseLoadReport, widen: number): Comparison[] {
  const where = `of ${now.journey} in the ${now.phase} phase`
  const [failedLow] = differenceInterval(
    { value: now.failedRatio, interval: now.failedInterval },
    { value: then.failedRatio, interval: then.failedInterval },
    widen,
  )
  return [
    {
      what: `failed requests ${where}:`,
      slack: failedSlack,
      low: failedLow,
      words: `${percent(now.failedRatio)}, before ${percent(then.failedRatio)}, surely ${percent(Math.max(0, failedLow ?? 0))} more`,
    },
    ...quantiles.flatMap(q => {
      const [after, before] = [now[q], then[q]]
      if (!after || !before) return []
      const [low] = differenceInterval(valued(after), valued(before), widen)
      return [
        {
          what: `${q} ${where}:`,
          slack: Math.max(latencySlackMs, latencySlackShare * before.ms),
          low,
          words: `${duration(after.ms)}, before ${duration(before.ms)}, surely ${duration(Math.max(0, low ?? 0))} more`,
        },
      ]
    }),
  ]
}
