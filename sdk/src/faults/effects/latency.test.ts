import { expect, test } from 'vitest'
import { choice } from '../choice.ts'
import type { Distribution } from '../wire.ts'
import { latency } from './latency.ts'

const draws = 20_000

function delays(distribution: Distribution, delayMs = 200, jitterMs = 40): number[] {
  const draw = choice({ seed: 4, id: distribution }, 100)
  const effect = { kind: 'latency', delayMs, jitterMs, distribution } as const
  return Array.from({ length: draws }, () => latency.delayMs(effect, draw(undefined), 1)).sort((a, b) => a - b)
}

const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length
const deviation = (values: number[]) => {
  const middle = mean(values)
  return Math.sqrt(mean(values.map(value => (value - middle) ** 2)))
}

test('uniform delays lie within the jitter, evenly', () => {
  const seen = delays('uniform')
  expect(seen[0]).toBeGreaterThanOrEqual(160)
  expect(seen.at(-1)).toBeLessThanOrEqual(240)
  expect(mean(seen)).toBeCloseTo(200, -0.5)
  expect(deviation(seen)).toBeCloseTo(40 / Math.sqrt(3), -0.5)
})

test('normal delays have the delay as their mean and the jitter as their deviation, and are never negative', () => {
  const seen = delays('normal')
  expect(mean(seen)).toBeCloseTo(200, -0.5)
  expect(deviation(seen)).toBeCloseTo(40, -0.5)
  // 95.4 % lie within two deviations.
  expect(seen.filter(delay => Math.abs(delay - 200) < 80).length / draws).toBeCloseTo(0.954, 1.7)
  expect(delays('normal', 10, 10)[0]).toBe(0)
})

test('Pareto delays begin at the delay, are longer by the jitter on average, and a few are very long', () => {
  const seen = delays('pareto')
  expect(seen[0]).toBeGreaterThanOrEqual(200)
  expect(mean(seen)).toBeCloseTo(240, -0.5)
  // The quantiles of Pareto's distribution with shape 1 + 200/40.
  const quantile = (q: number) => 200 * (1 - q) ** (-1 / 6)
  for (const q of [0.5, 0.9, 0.99]) expect(seen[Math.floor(q * draws)]! / quantile(q)).toBeCloseTo(1, 1.5)
  expect(seen.at(-1)).toBeGreaterThan(600)
})

test('without jitter every delay is the same, and a ramp takes its part of it', () => {
  const draw = { struck: true, jitter: 0.9, turn: 0.1 }
  const effect = { kind: 'latency', delayMs: 100, jitterMs: 0, distribution: 'pareto' } as const
  expect([1, 0.5, 0].map(measure => latency.delayMs(effect, draw, measure))).toEqual([100, 50, 0])
})
