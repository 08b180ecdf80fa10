import fc from 'fast-check'
import { expect, test } from 'vitest'
import { choice } from './choice.ts'

const traceIds = (count: number, seed: number) =>
  Array.from({ length: count }, (_, i) => (BigInt(seed) * 1_000_003n + BigInt(i)).toString(16).padStart(32, '0'))

const salts = fc.record({ seed: fc.integer(), id: fc.stringMatching(/^[A-Za-z0-9._-]{1,12}$/) })

test('of many requests the share that is struck lies within five standard deviations of the percentage', () => {
  const requests = 2000
  fc.assert(
    fc.property(salts, fc.integer({ min: 0, max: 100 }), fc.boolean(), (salt, percent, byTrace) => {
      const draw = choice(salt, percent)
      const struck = traceIds(requests, 7).filter(id => draw(byTrace ? id : undefined).struck).length
      const p = percent / 100
      expect(Math.abs(struck - requests * p)).toBeLessThanOrEqual(5 * Math.sqrt(requests * p * (1 - p)))
    }),
    { seed: 1, numRuns: 100 },
  )
})

test('a ramp only ever adds requests, and a retry of a request meets the same fate', () => {
  fc.assert(
    fc.property(salts, fc.tuple(fc.nat(100), fc.nat(100)), (salt, percents) => {
      const [low = 0, high = 0] = percents.toSorted((a, b) => a - b)
      const before = choice(salt, low)
      const after = choice(salt, high)
      for (const id of traceIds(200, 11)) {
        const draw = before(id)
        if (draw.struck) expect(after(id).struck).toBe(true)
        expect(before(id)).toEqual(draw)
      }
    }),
    { seed: 2 },
  )
})

test('two faults, or two seeds, choose independently', () => {
  const ids = traceIds(4000, 13)
  const both = (a: { seed: number; id: string }, b: { seed: number; id: string }) => {
    const [one, other] = [choice(a, 50), choice(b, 50)]
    return ids.filter(id => one(id).struck && other(id).struck).length
  }
  for (const other of [
    { seed: 1, id: 'f-2' },
    { seed: 2, id: 'f-1' },
  ])
    expect(Math.abs(both({ seed: 1, id: 'f-1' }, other) - 1000)).toBeLessThan(140)
})

test('jitter is uniform and independent of the choice', () => {
  const draw = choice({ seed: 3, id: 'slow' }, 30)
  const struck = traceIds(10_000, 17)
    .map(id => draw(id))
    .filter(one => one.struck)
  const mean = struck.reduce((sum, one) => sum + one.jitter, 0) / struck.length
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.03)
})

test('the same seed repeats a run of attempts exactly', () => {
  const run = () => {
    const draw = choice({ seed: 5, id: 'again' }, 40)
    return Array.from({ length: 100 }, () => draw(undefined))
  }
  expect(run()).toEqual(run())
})
