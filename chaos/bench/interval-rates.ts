/** How often the other intervals hold what they are to hold, in made-up runs of 18 s at 60 requests a second. */
import { deriveSeed, random } from '../src/random.ts'
import { comparedWith } from '../src/verdict/baseline.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { differenceInterval, quantileEstimate } from '../src/verdict/quantiles.ts'
import { madeUpRun, ratePerSecond } from './made-up-run.ts'
import { simulatedRun } from './simulated-run.ts'

const seconds = 18
const meanMs = 100
/** A slow state that comes and goes: its share of the time, how much longer all takes in it, and how long it lasts. */
const slow = { share: 0.15, times: 5, lastsMs: 300 }

export interface IntervalScenario {
  name: string
  /** Whether one run went as it is to. */
  isRight: (next: () => number) => boolean
  /** So many of them must, at least. */
  atLeast: number
}

type Timed = { block: number; latencyMs: number }

/** Exponential latencies, independent or in bursts. */
function latencies(next: () => number, inBursts: boolean, mean = meanMs): Timed[] {
  const leave = 1000 / slow.lastsMs / ratePerSecond
  const enter = (leave * slow.share) / (1 - slow.share)
  let isSlow = next() < slow.share
  return Array.from({ length: seconds * ratePerSecond }, (_, index) => {
    isSlow = isSlow ? next() >= leave : next() < enter
    const times = inBursts && isSlow ? slow.times : 1
    return { block: Math.floor(index / ratePerSecond), latencyMs: -mean * times * Math.log(1 - next()) }
  })
}

/** The quantile of that mixture, by halving. */
function truth(q: number, inBursts: boolean, mean = meanMs): number {
  const share = inBursts ? slow.share : 0
  const under = (ms: number) =>
    (1 - share) * (1 - Math.exp(-ms / mean)) + share * (1 - Math.exp(-ms / (mean * slow.times)))
  let [low, high] = [0, 100 * mean]
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2
    if (under(middle) < q) low = middle
    else high = middle
  }
  return low
}

const holds = ([low, high]: readonly [number | null, number | null], value: number) =>
  (low === null || low <= value) && (high === null || value <= high)

const quantiles = [false, true].flatMap(inBursts =>
  [0.5, 0.9, 0.99].map(q => ({
    name: `p${q * 100} of latencies, ${inBursts ? 'slow ones in bursts of 300 ms' : 'independent'}: covered`,
    isRight: (next: () => number) =>
      holds(quantileEstimate(latencies(next, inBursts), q)!.interval, truth(q, inBursts)),
    // With nine bursts in a run nothing is known well of what lies within them.
    atLeast: inBursts ? 0.89 : 0.94,
  })),
)

const differences = [false, true].map(inBursts => ({
  name: `a median that grew by half, ${inBursts ? 'slow ones in bursts of 300 ms' : 'independent'}: the difference covered`,
  isRight: (next: () => number) => {
    const [before, after] = [meanMs, 1.5 * meanMs].map(mean => quantileEstimate(latencies(next, inBursts, mean), 0.5)!)
    const valued = ({ ms, interval }: NonNullable<typeof before>) => ({ value: ms, interval })
    const grown = truth(0.5, inBursts, 1.5 * meanMs) - truth(0.5, inBursts)
    return holds(differenceInterval(valued(after!), valued(before!)), grown)
  },
  atLeast: 0.92,
}))

/** A run of which each answer takes so long on average, as its report has it. */
const reportOf = (next: () => number, mean: number) => {
  const made = latencies(next, true, mean)
  return judgeExperiment(madeUpRun({ answer: (_, index) => ({ latencyMs: made[index % made.length]!.latencyMs }) }))
}

export const intervalScenarios: IntervalScenario[] = [
  ...quantiles,
  ...differences,
  {
    name: '`--baseline` with a run of the same system, slow ones in bursts: no regression',
    isRight: next => comparedWith(reportOf(next, 20), reportOf(next, 20), 'last').verdict !== 'fail',
    atLeast: 0.95,
  },
  {
    name: '`--baseline` with a run that took a third as long, slow ones in bursts: a regression',
    isRight: next => comparedWith(reportOf(next, 30), reportOf(next, 10), 'last').verdict === 'fail',
    atLeast: 0.95,
  },
  ...[1, 3, 5].map(objectives => ({
    name: `${objectives === 1 ? 'one objective' : `${objectives} objectives`} exactly at the target, independently: no fail`,
    isRight: (next: () => number) =>
      judgeExperiment(simulatedRun(next, { burstMs: 0, errorRatio: 0.03, objectives })).verdict !== 'fail',
    atLeast: 0.965,
  })),
]

/** The share of the runs that went right. */
export function rightShare({ name, isRight }: IntervalScenario, runs: number): number {
  const next = random(deriveSeed(20_261_127, name))
  let right = 0
  for (let run = 0; run < runs; run++) if (isRight(next)) right++
  return right / runs
}
