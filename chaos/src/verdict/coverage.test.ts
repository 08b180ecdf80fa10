/** Simulated runs as the demo shop has them: 18 s of fault and recovery at 60 requests a second. Seeded. */
import { expect, test } from 'vitest'
import { random } from '../random.ts'
import { type Block, clusteredInterval, sum } from './statistics.ts'

const seconds = 18
const perSecond = 60

interface Errors {
  /** Of good requests, in the long run. */
  ratio: number
  /** How long a burst lasts on average; undefined: errors come independently. */
  burstMs?: number
  /** The share of the time that is within bursts. */
  burstShare?: number
}

/** A Markov-modulated run: a bad state that comes and goes, in which alone requests fail. */
function simulated(next: () => number, { ratio, burstMs, burstShare = 1 }: Errors): Block[] {
  const leave = burstMs === undefined ? 0 : 1000 / burstMs / perSecond
  const enter = (leave * burstShare) / (1 - burstShare)
  const failing = (1 - ratio) / burstShare
  let bad = next() < burstShare
  return Array.from({ length: seconds }, () => {
    let good = 0
    for (let i = 0; i < perSecond; i++) {
      if (burstMs !== undefined) bad = bad ? next() >= leave : next() < enter
      if (!(bad && next() < failing)) good++
    }
    return { good, total: perSecond }
  })
}

/** 12 s of fault, 6 s of recovery. */
const phases = (blocks: Block[]) => [blocks.slice(0, 12), blocks.slice(12)]

/** In percent of the runs. */
function coverage(errors: Errors, runs = 3000): number {
  const next = random(20_261_121)
  let covered = 0
  for (let run = 0; run < runs; run++) {
    const [low, high] = clusteredInterval(phases(simulated(next, errors)))
    if (low <= errors.ratio && errors.ratio <= high) covered++
  }
  return (covered / runs) * 100
}

test.each([0.9, 0.95, 0.97, 0.99])('with independent errors at %d good it covers at least 94 %', ratio => {
  expect(coverage({ ratio })).toBeGreaterThanOrEqual(94)
})

test.each([
  { ratio: 0.9, burstMs: 100, burstShare: 0.1 },
  { ratio: 0.9, burstMs: 300, burstShare: 0.2 },
  { ratio: 0.9, burstMs: 300, burstShare: 0.5 },
  { ratio: 0.9, burstMs: 1000, burstShare: 0.5 },
  { ratio: 0.95, burstMs: 100, burstShare: 0.05 },
  { ratio: 0.95, burstMs: 300, burstShare: 0.25 },
  { ratio: 0.97, burstMs: 100, burstShare: 0.06 },
  { ratio: 0.97, burstMs: 300, burstShare: 0.15 },
  { ratio: 0.99, burstMs: 100, burstShare: 0.05 },
])('with nine bursts or more in a run it covers at least 93 %: %o', errors => {
  expect(coverage(errors)).toBeGreaterThanOrEqual(93)
})

test.each([
  { ratio: 0.9, burstMs: 300, burstShare: 0.1, least: 90.5 },
  { ratio: 0.95, burstMs: 300, burstShare: 0.1, least: 90.5 },
  { ratio: 0.97, burstMs: 300, burstShare: 0.06, least: 84 },
  { ratio: 0.99, burstMs: 300, burstShare: 0.05, least: 81 },
])('with fewer bursts it covers less, and no less than its docs say: %o', ({ least, ...errors }) => {
  expect(coverage(errors)).toBeGreaterThanOrEqual(least)
})

test('a system that is 99.9 % good, its errors in bursts, never fails a target of 97 % in 10,000 runs', () => {
  const next = random(20_261_122)
  const verdicts = { pass: 0, inconclusive: 0, fail: 0 }
  for (let run = 0; run < 10_000; run++) {
    const blocks = simulated(next, { ratio: 0.999, burstMs: 300, burstShare: 0.002 })
    const [low, high] = clusteredInterval(phases(blocks))
    verdicts[high < 0.97 ? 'fail' : low >= 0.97 ? 'pass' : 'inconclusive']++
  }
  expect(verdicts.fail).toBe(0)
  expect(verdicts.pass).toBeGreaterThan(9000)
})

test('no run below its target passes more often than its interval says, with independent errors', () => {
  const next = random(20_261_123)
  let passed = 0
  for (let run = 0; run < 3000; run++) {
    const blocks = simulated(next, { ratio: 0.9699 })
    if (clusteredInterval(phases(blocks))[0] >= 0.97) passed++
    expect(sum(blocks).total).toBe(seconds * perSecond)
  }
  expect(passed / 3000).toBeLessThan(0.03)
})
