import { expect, test } from 'vitest'
import { instantOf, monthsOf } from './calendar.ts'

const utc = (text: string) => Date.parse(text) / 1000

test('a time is that of the clocks of its zone, in winter and in summer', () => {
  expect(instantOf('2022-01-01 12:00:00', 'America/New_York')).toBe(utc('2022-01-01T17:00:00Z'))
  expect(instantOf('2022-07-01 12:00:00', 'America/New_York')).toBe(utc('2022-07-01T16:00:00Z'))
  expect(instantOf('2022-01-01 00:00:00', 'Asia/Kolkata')).toBe(utc('2021-12-31T18:30:00Z'))
  expect(instantOf('2022-03-13 12:00:00', 'America/New_York')).toBe(utc('2022-03-13T16:00:00Z'))
})

test('what is no date is none, and an unknown zone throws', () => {
  for (const text of ['2022-02-30 00:00:00', '2022-13-01 00:00:00', '2022-01-01', '2022-01-01T00:00:00']) {
    expect(instantOf(text, 'UTC')).toBeUndefined()
  }
  expect(() => instantOf('2022-01-01 00:00:00', 'Nowhere/At_All')).toThrow(RangeError)
})

test('months, quarters and years are counted in months; other units have a fixed length', () => {
  expect(['1M', '2Q', '1Y', '4w'].map(text => monthsOf(text)?.months)).toEqual([1, 6, 12, undefined])
})
