import { expect, test } from 'vitest'
import {
  burnRateFactor,
  burnRatePolicies,
  burnRateThreshold,
  parsePolicy,
  policiesFor,
  timeToFire,
} from './burn-rate.ts'

const day = 86_400_000
const factors = (windowMs: number) => burnRatePolicies.map(policy => burnRateFactor(policy, windowMs))

test('the factors are those of the SRE workbook, for any period', () => {
  expect(factors(30 * day)).toEqual([14.4, 6, 3, 1])
  expect(factors(28 * day).map(factor => Number(factor.toFixed(3)))).toEqual([13.44, 5.6, 2.8, 0.933])
})

test('time to fire is factor * budget * long window / error ratio, and never for a ratio under the threshold', () => {
  const [page] = burnRatePolicies
  const budget = { target: 0.999, windowMs: 30 * day }
  expect(timeToFire(page!, budget, 1)).toBeCloseTo(51_840)
  expect(timeToFire(page!, budget, 0.1)).toBeCloseTo(518_400)
  expect(timeToFire(page!, budget, 0.0144)).toBeUndefined()
})

test('little traffic takes until the fifth bad event, and never fires where the long window does not hold five', () => {
  const [page] = burnRatePolicies
  const budget = { target: 0.999, windowMs: 30 * day }
  expect(timeToFire(page!, budget, 1, 1000)).toBeCloseTo(51_840)
  expect(timeToFire(page!, budget, 1, 0.01)).toBeCloseTo(500_000)
  expect(timeToFire(page!, budget, 0.1, 0.01)).toBeUndefined()
  expect(timeToFire(page!, budget, 1, 0.001)).toBeUndefined()
})

test('a condition that no error ratio can reach, or that is longer than the period, is left out', () => {
  expect(policiesFor({ target: 0.999, windowMs: 30 * day })).toHaveLength(4)
  expect(policiesFor({ target: 0.9, windowMs: 30 * day }).map(policy => policy.window)).not.toContain('5m/1h')
  expect(policiesFor({ target: 0.99, windowMs: 2 * day }).map(policy => policy.window)).not.toContain('6h/3d')
})

test('thresholds carry no noise of binary fractions', () => {
  expect(burnRateThreshold(burnRatePolicies[0]!, { target: 0.999, windowMs: 30 * day })).toBe(0.0144)
})

test('a condition is written in one word, and read with its factor', () => {
  const policy = parsePolicy('page:5m/1h:2%')!
  expect(policy).toEqual(burnRatePolicies[0])
  expect(parsePolicy('ticket:6h/3d:10%')).toEqual(burnRatePolicies[3])
  for (const wrong of [
    '5m/1h:2%',
    'page:1h/5m:2%',
    'page:5m/1h:0%',
    'page:5m/1h:200%',
    'page:5m/1h',
    'mail:5m/1h:2%',
  ]) {
    expect(parsePolicy(wrong)).toBeUndefined()
  }
})

test('where slices are counted, a condition fires at the end of one', () => {
  const slices = { windowMs: 60_000, target: 0.95 }
  const budget = { target: 0.999, windowMs: 30 * 86_400_000, slices }
  const [page] = burnRatePolicies
  expect(timeToFire(page!, budget, 0.06)).toBe(60_000)
  expect(timeToFire(page!, budget, 0.05)).toBeUndefined()
  expect(policiesFor({ ...budget, slices: { ...slices, windowMs: 3_600_000 } }).map(({ window }) => window)).toEqual([
    '2h/1d',
    '6h/3d',
  ])
})
