import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { fittingAxis, linearAxis, logAxis, timeTicks } from './axis.ts'

describe('axes', () => {
  test('a linear axis begins at zero, ends at a round number and holds every value', () => {
    expect(linearAxis(0.07).ticks.map(tick => Number(tick.toFixed(6)))).toEqual([0, 0.025, 0.05, 0.075])
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), greatest => {
        const { ticks, place } = linearAxis(greatest)
        expect(ticks.at(-1)).toBeGreaterThanOrEqual(greatest * (1 - 1e-9))
        expect(ticks.length).toBeLessThanOrEqual(5)
        expect([place(0), place(ticks.at(-1)!)]).toEqual([0, 1])
      }),
      { seed: 3 },
    )
  })

  test('a logarithmic axis gives each decade the same room', () => {
    const axis = logAxis(12, 2300)
    expect(axis.ticks).toEqual([10, 100, 1000, 10_000])
    expect([10, 100, 1000, 10_000].map(axis.place)).toEqual([0, 1 / 3, 2 / 3, 1])
    expect(axis.place(0)).toBe(0)
  })

  test('the scale is logarithmic only where small values would vanish', () => {
    expect(fittingAxis([20, 40, 90]).logarithmic).toBe(false)
    expect(fittingAxis([20, 40, 2100]).logarithmic).toBe(true)
    expect(fittingAxis([]).ticks.every(Number.isFinite)).toBe(true)
    expect(fittingAxis([0, 0]).ticks.every(Number.isFinite)).toBe(true)
  })

  test('a time axis has few enough labels for a phone, whatever the length of the run', () => {
    expect(timeTicks(25_000)).toEqual([0, 5000, 10_000, 15_000, 20_000, 25_000])
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 7 * 86_400_000 }), totalMs => {
        expect(timeTicks(totalMs).length).toBeLessThanOrEqual(7)
      }),
      { seed: 4 },
    )
  })
})
