/** A run against an earlier one. */
import { describe, expect, test } from 'vitest'
import type { LoadSample } from '../src/load/load.ts'
import { random } from '../src/random.ts'
import { comparedWith } from '../src/verdict/baseline.ts'
import { failed, judge } from './judged.ts'

describe('against an earlier report', () => {
  const next = random(3)
  /** Latencies that scatter, around so many ms. */
  const around =
    (ms: number, failing = 0) =>
    (): Partial<LoadSample> => ({
      latencyMs: ms * (0.5 + next()),
      ...(next() < failing ? failed : {}),
    })
  const of = (ms: number, failing?: number) => judge({ answer: around(ms, failing), expect: { atLeast: 0.5 } })
  const compared = (now: ReturnType<typeof of>, then: ReturnType<typeof of>) => {
    const { verdict, expectations, reasons } = comparedWith(now, then, 'last.json')
    return { ...expectations.find(({ name }) => name.endsWith('last.json'))!, verdict, reasons }
  }

  test('the same again is no regression, forty times', () => {
    const verdicts = Array.from({ length: 40 }, () => comparedWith(of(20), of(20), 'last.json').verdict)
    expect(verdicts.filter(verdict => verdict !== 'pass')).toEqual([])
  })

  test('half as slow again is one, told with the least that it is surely slower by', () => {
    const { verdict, detail, reasons } = compared(of(30), of(20))
    expect(verdict).toBe('fail')
    expect(detail).toMatch(/p50 of look in the baseline phase: [\d.]+ ms, before [\d.]+ ms, surely [\d.]+ ms more/)
    expect(reasons).toEqual([`no regression against last.json: ${detail}`])
  })

  test('so is a higher share of failed requests, and getting better is none', () => {
    expect(compared(of(20, 0.1), of(20, 0)).detail).toMatch(/failed requests of look in the fault phase: /)
    expect(compared(of(10), of(20)).verdict).toBe('pass')
  })

  test('one that knew nothing of it is said to, and a void run is not compared', () => {
    expect(comparedWith(of(20), undefined, 'last.json').expectations.at(-1)?.detail).toMatch(
      /nothing of this experiment/,
    )
    const unsound = judge({ health: { dropped: 3 } })
    expect(comparedWith(unsound, of(20), 'last.json')).toBe(unsound)
  })
})
