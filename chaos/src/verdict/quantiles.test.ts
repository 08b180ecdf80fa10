import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { random } from '../random.ts'
import { differenceInterval, quantileEstimate, superiority } from './quantiles.ts'

const blocks = 18
const perBlock = 60

/** Latencies of an exponential distribution with a mean of 100 ms; in some blocks all are so many times longer. */
function latencies(next: () => number, slow: { share: number; times: number }) {
  return Array.from({ length: blocks }, (_, block) => {
    const factor = next() < slow.share ? slow.times : 1
    return Array.from({ length: perBlock }, () => ({ block, latencyMs: -100 * Math.log(1 - next()) * factor }))
  }).flat()
}

const covered = (q: number, truth: number, slow: { share: number; times: number }, runs = 300) => {
  const next = random(11)
  let hits = 0
  for (let run = 0; run < runs; run++) {
    const [low, high] = quantileEstimate(latencies(next, slow), q)!.interval
    if (low <= truth && (high === null || truth <= high)) hits++
  }
  return hits / runs
}

describe('the interval of a quantile', () => {
  test.each([0.5, 0.9, 0.99])('covers the true p%d of independent latencies in 95 of 100 runs', q => {
    expect(covered(q, -100 * Math.log(1 - q), { share: 0, times: 1 })).toBeGreaterThanOrEqual(0.93)
  })

  test('is widened where slow requests come in bursts', () => {
    // The median of a mixture of which a third is three times as slow, found by halving.
    const share = 1 / 3
    const under = (x: number) => (1 - share) * (1 - Math.exp(-x / 100)) + share * (1 - Math.exp(-x / 300))
    let [low, high] = [0, 1000]
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2
      if (under(middle) < 0.5) low = middle
      else high = middle
    }
    expect(covered(0.5, low, { share, times: 3 })).toBeGreaterThanOrEqual(0.9)
  })

  test('has its estimate within, and an open end where too few took longer', () => {
    const values = (length: number) =>
      Array.from({ length }, (_, index) => ({ block: index % 10, latencyMs: index + 1 }))
    expect(quantileEstimate(values(100), 0.99)).toEqual({ ms: 99, interval: [expect.any(Number), null] })
    expect(quantileEstimate([], 0.5)).toBeNull()
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e4, noNaN: true }), { minLength: 1 }),
        fc.double({ min: 0.01, max: 0.99, noNaN: true }),
        (all, q) => {
          const { ms, interval } = quantileEstimate(
            all.map((latencyMs, block) => ({ block, latencyMs })),
            q,
          )!
          expect(interval[0]).toBeLessThanOrEqual(ms)
          if (interval[1] !== null) expect(interval[1]).toBeGreaterThanOrEqual(ms)
        },
      ),
    )
  })
})

test('the interval of a difference is Newcombe’s for ratios, and open where one of its parts is', () => {
  // Newcombe (1998), table II: 56/70 against 48/80, by Wilson's intervals: 0.0524 to 0.3339.
  const after = { value: 0.8, interval: [0.6926, 0.8772] } as const
  const before = { value: 0.6, interval: [0.4899, 0.7] } as const
  const [low, high] = differenceInterval(after, before)
  expect([low!.toFixed(3), high!.toFixed(3)]).toEqual(['0.053', '0.334'])
  expect(differenceInterval({ value: 5, interval: [4, null] }, before)[1]).toBeNull()
  expect(differenceInterval(after, { value: 5, interval: [4, null] })[0]).toBeNull()
})

test('the probability of superiority is that of all pairs, ties half', () => {
  expect(superiority([2, 3], [1, 2])).toBe(0.875)
  expect(superiority([1, 1], [1])).toBe(0.5)
  expect(superiority([], [1])).toBeNull()
  fc.assert(
    fc.property(fc.array(fc.nat(9), { minLength: 1 }), fc.array(fc.nat(9), { minLength: 1 }), (after, before) => {
      const pairs = after.flatMap(a => before.map(b => (a > b ? 1 : a === b ? 0.5 : 0)))
      expect(superiority(after, before)).toBeCloseTo(
        pairs.reduce<number>((sum, each) => sum + each, 0) / pairs.length,
        10,
      )
    }),
  )
})
