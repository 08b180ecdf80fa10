import { deviationsAtTheEnd } from './spending.ts'
import { wilson } from './statistics.ts'

/** 99 % of a standard normal distribution lie over minus this many deviations. */
const nearlyAlways = 2.326348

/** What a run of so many requests can tell of an objective, where errors are independent. */
export interface Power {
  /** It passes with so many bad requests at most; undefined: not even with none. */
  mostBad: number | undefined
  /** It fails in at least 99 of 100 runs where this ratio is bad; undefined: not even where all are. */
  foundRatio: number | undefined
}

/**
 * `objectives` are held at once, over which the fail of one is corrected as if it were the first to be told. Where the fault phase
 * may end early it is what the run tells that does not.
 */
export function powerOf(planned: number, target: number, objectives: number, phases = {}): Power {
  const [one, corrected] = [deviationsAtTheEnd(phases), deviationsAtTheEnd(phases, objectives)]
  const passing = countWhile(planned, bad => wilson(planned - bad, planned, one)[0] >= target)
  const notFailing = countWhile(planned, bad => wilson(planned - bad, planned, corrected)[1] >= target)
  return {
    mostBad: passing === 0 ? undefined : passing - 1,
    foundRatio: notFailing > planned ? undefined : ratioThatReaches(notFailing, planned),
  }
}

/** Of how many numbers of bad requests, from none on, it is so. */
function countWhile(planned: number, isSo: (bad: number) => boolean): number {
  let [so, notSo] = [-1, planned + 1]
  while (notSo - so > 1) {
    const middle = Math.floor((so + notSo) / 2)
    if (isSo(middle)) so = middle
    else notSo = middle
  }
  return notSo
}

/** The smallest ratio of which `planned` requests have at least `bad` with 99 %, by the normal approximation (found by halving). */
function ratioThatReaches(bad: number, planned: number): number {
  let [low, high] = [bad / planned, 1]
  for (let step = 0; step < 40; step++) {
    const ratio = (low + high) / 2
    const least = planned * ratio - nearlyAlways * Math.sqrt(planned * ratio * (1 - ratio)) - 0.5
    if (least >= bad) high = ratio
    else low = ratio
  }
  return high
}
