import fc from 'fast-check'
import { expect, test } from 'vitest'
import { intensity } from './schedule.ts'

const moment = fc.integer({ min: 0, max: 100_000 })

test('without a schedule a fault strikes in full measure at any moment', () => {
  fc.assert(
    fc.property(moment, now => {
      expect(intensity(undefined, 7)(now + 7)).toEqual({ percent: 1, delay: 1 })
    }),
  )
})

test('a ramp climbs linearly, never falls, and stays where it has arrived', () => {
  const at = intensity({ ramp: { of: 'percent', overMs: 1000 } }, 500)
  expect([500, 750, 1500, 9000].map(now => at(now)?.percent)).toEqual([0, 0.25, 1, 1])
  expect(at(750)?.delay).toBe(1)
  fc.assert(
    fc.property(moment, moment, (a, b) => {
      const [low, high] = [Math.min(a, b), Math.max(a, b)]
      expect(at(500 + low)!.percent).toBeLessThanOrEqual(at(500 + high)!.percent)
    }),
  )
})

test('a pulse is on and off in turns, and one that is armed late joins in where the others are', () => {
  const pulse = { onMs: 200, offMs: 300 }
  const on = (now: number, ageMs = 0) => intensity({ pulse, ageMs }, 0)(now) !== undefined
  expect([0, 199, 200, 499, 500, 699, 700].map(now => on(now))).toEqual([true, true, false, false, true, true, false])
  fc.assert(
    fc.property(moment, moment, (now, ageMs) => {
      expect(on(now, ageMs)).toBe(on(now + ageMs))
    }),
  )
})
