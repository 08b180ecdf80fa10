import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Block,
  clusteredInterval,
  designEffect,
  deviationsOf,
  fitsPercent,
  fitsPercentOfRequests,
  quantile,
  studentDeviate,
  sum,
  wilson,
} from './statistics.ts'

const block = fc
  .tuple(fc.nat(200), fc.double({ min: 0, max: 1, noNaN: true }))
  .map(([total, share]): Block => ({ good: Math.round(total * share), total }))
const blocks = fc.array(block, { maxLength: 40 })

test.each([
  // Newcombe 1998, table I, method 3.
  [81, 263, 0.2553, 0.3662],
  [15, 148, 0.0624, 0.1605],
  [0, 20, 0, 0.1611],
  [1, 29, 0.0061, 0.1718],
  [8, 10, 0.4902, 0.9433],
  [10, 10, 0.7225, 1],
])('the Wilson interval of %d in %d is what the tables say', (good, total, low, high) => {
  const interval = wilson(good, total)
  expect(interval[0]).toBeCloseTo(low, 4)
  expect(interval[1]).toBeCloseTo(high, 4)
})

test.each([
  [5, 2.5706],
  [10, 2.2281],
  [17, 2.1098],
  [30, 2.0423],
  [1000, 1.9623],
])('the deviate of Student with %d degrees of freedom is what the tables say', (degrees, expected) => {
  expect(Math.abs(studentDeviate(degrees) / expected - 1)).toBeLessThan(0.003)
})

test.each([
  [0.9, 1.644854],
  [0.95, 1.959964],
  [0.975, 2.241403],
  [0.99, 2.575829],
])('the deviate of %d confidence is what the tables say', (confidence, expected) => {
  expect(Math.abs(deviationsOf(confidence) - expected)).toBeLessThan(0.00045)
})

test('a quantile is the nearest rank', () => {
  expect(quantile([], 0.5)).toBeNull()
  expect(quantile([7], 0)).toBe(7)
  const hundred = Array.from({ length: 100 }, (_, index) => index + 1)
  expect([0.5, 0.9, 0.99, 1].map(q => quantile(hundred, q))).toEqual([50, 90, 99, 100])
})

test('errors all in one block have the design effect that clusters of that size have', () => {
  const clustered = Array.from({ length: 10 }, (_, index) => ({ good: index === 4 ? 0 : 60, total: 60 }))
  // Every block is wholly good or wholly bad: the events of a block are one event, so that deff is near its size.
  expect(designEffect([clustered])).toBeCloseTo((60 * 10) / 9, 5)
  const even = Array.from({ length: 10 }, () => ({ good: 54, total: 60 }))
  expect(designEffect([even])).toBe(1)
  expect(designEffect([clustered.slice(0, 7)])).toBe(1)
})

test('a burst that a boundary cuts in two is seen whole in longer stretches', () => {
  const blocks = Array.from({ length: 18 }, (_, index) => ({ good: index === 8 || index === 9 ? 30 : 60, total: 60 }))
  expect(designEffect([blocks], 2)).toBeGreaterThan(1.5 * designEffect([blocks], 1))
})

test('that a phase is bad as a whole is no clustering, and that errors cluster within it is', () => {
  const fault = Array.from({ length: 12 }, () => ({ good: 6, total: 60 }))
  const recovery = Array.from({ length: 6 }, () => ({ good: 60, total: 60 }))
  expect(designEffect([[...fault, ...recovery]])).toBeGreaterThan(40)
  expect(designEffect([fault, recovery])).toBe(1)
  const patchy = fault.map((block, index) => (index < 6 ? { good: 60, total: 60 } : block))
  expect(designEffect([patchy, recovery])).toBeGreaterThan(1)
})

test('an interval lies within [0, 1], contains the ratio, and clusters only ever widen it', () => {
  fc.assert(
    fc.property(blocks, blocks => {
      const { good, total } = sum(blocks)
      const [low, high] = clusteredInterval([blocks])
      expect(low).toBeGreaterThanOrEqual(0)
      expect(high).toBeLessThanOrEqual(1)
      if (total === 0) return
      const plain = wilson(good, total)
      expect(low).toBeLessThanOrEqual(good / total + 1e-12)
      expect(high).toBeGreaterThanOrEqual(good / total - 1e-12)
      expect(high - low).toBeGreaterThanOrEqual(plain[1] - plain[0] - 1e-12)
    }),
  )
})

test('more bad moves the Wilson interval down, at both ends', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(), (total, one, other) => {
      const [less, more] = [one % (total + 1), other % (total + 1)].sort((a, b) => a - b) as [number, number]
      const [worse, better] = [wilson(less, total), wilson(more, total)]
      expect(worse[0]).toBeLessThanOrEqual(better[0] + 1e-12)
      expect(worse[1]).toBeLessThanOrEqual(better[1] + 1e-12)
    }),
  )
})

test('a share of attempts fits within what chance does, and 0 and 100 % exactly', () => {
  expect(fitsPercent(500, 1000, 50)).toBe(true)
  expect(fitsPercent(550, 1000, 50)).toBe(true)
  expect(fitsPercent(560, 1000, 50)).toBe(false)
  expect(fitsPercent(440, 1000, 50)).toBe(false)
  expect(fitsPercent(1000, 1000, 100)).toBe(true)
  expect(fitsPercent(999, 1000, 100)).toBe(false)
  expect(fitsPercent(1, 1000, 0)).toBe(false)
})

test('of requests that share their fate with their retries only too few hits are told', () => {
  // 100 requests, half of them hit, each of those tried three times: 150 of 200.
  expect(fitsPercentOfRequests(150, 200, 50, 3)).toBe(true)
  expect(fitsPercentOfRequests(100, 200, 50, 3)).toBe(true)
  expect(fitsPercentOfRequests(5, 200, 50, 3)).toBe(false)
  expect(fitsPercentOfRequests(199, 200, 100, 3)).toBe(false)
  expect(fitsPercentOfRequests(200, 200, 100, 3)).toBe(true)
})
