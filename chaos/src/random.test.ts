import fc from 'fast-check'
import { expect, test } from 'vitest'
import { choose, deriveSeed, random } from './random.ts'

test('the same seed gives the same numbers, and they are uniform in [0, 1)', () => {
  const [one, two] = [random(7), random(7)]
  const numbers = Array.from({ length: 10_000 }, () => one())
  expect(numbers).toEqual(Array.from({ length: 10_000 }, () => two()))
  expect(Math.min(...numbers)).toBeGreaterThanOrEqual(0)
  expect(Math.max(...numbers)).toBeLessThan(1)
  for (let tenth = 0; tenth < 10; tenth++) {
    const share = numbers.filter(number => Math.floor(number * 10) === tenth).length / numbers.length
    expect(share).toBeGreaterThan(0.085)
    expect(share).toBeLessThan(0.115)
  }
})

test('a choice is made of different items, as many as asked for or all of them', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer()), fc.nat(20), fc.nat(), (items, count, seed) => {
      const chosen = choose(items, count, seed)
      expect(chosen).toHaveLength(Math.min(count, items.length))
      expect(new Set(chosen).size).toBe(chosen.length)
      expect(chosen.every(item => items.includes(item))).toBe(true)
      expect(choose(items, count, seed)).toEqual(chosen)
    }),
  )
})

test('every item is chosen about equally often over many seeds', () => {
  const times = [0, 0, 0]
  for (let seed = 0; seed < 3000; seed++) times[choose([0, 1, 2], 1, seed)[0] as number]!++
  for (const count of times) expect(Math.abs(count - 1000)).toBeLessThan(120)
})

test('seeds derived for different names differ', () => {
  const seeds = Array.from({ length: 1000 }, (_, index) => deriveSeed(1, `fault-${index}`))
  expect(new Set(seeds).size).toBe(1000)
})
