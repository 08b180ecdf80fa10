import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { count, duration, percent, plural, times } from './units.ts'

describe('units', () => {
  test('a ratio short of one never reads as 100%, nor one over zero as 0%', () => {
    expect([1, 0.99996, 0.998, 0.5, 0.00002, 0].map(percent)).toEqual([
      '100%',
      '99.996%',
      '99.8%',
      '50%',
      '0.002%',
      '0%',
    ])
    fc.assert(
      fc.property(fc.double({ min: 1e-7, max: 1 - 1e-7, noNaN: true }), ratio => {
        expect(['0%', '100%']).not.toContain(percent(ratio))
      }),
      { seed: 2 },
    )
  })

  test('a measure of nothing reads as a dash', () => {
    expect([
      percent(Number.NaN),
      percent(null),
      duration(null),
      duration(Number.NaN),
      times(Number.POSITIVE_INFINITY),
    ]).toEqual(Array(5).fill('–'))
  })

  test('times read in the unit of their size, without a jump where it changes', () => {
    expect(
      [0, 0.4, 9.94, 12.3, 999.4, 999.6, 1000, 2345, 9994, 9996, 59_949, 59_951, 60_000, 250_000, 3_600_000].map(
        duration,
      ),
    ).toEqual([
      '0 ms',
      '0.4 ms',
      '9.9 ms',
      '12 ms',
      '999 ms',
      '1 s',
      '1 s',
      '2.35 s',
      '9.99 s',
      '10 s',
      '59.9 s',
      '1 min',
      '1 min',
      '4 min 10 s',
      '1 h',
    ])
  })

  test('counts are grouped and nouns agree', () => {
    expect([count(1234567), plural(1, 'event'), plural(2, 'event'), times(14.4), times(0.25)]).toEqual([
      '1,234,567',
      '1 event',
      '2 events',
      '14×',
      '0.25×',
    ])
  })
})
