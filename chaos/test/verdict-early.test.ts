/** Fault phases that are over once the verdict is sure. */
import { expect, test } from 'vitest'
import { lengths, type MadeUp, phasesOf } from '../bench/made-up-run.ts'
import { deviationsAt, looks } from '../src/verdict/spending.ts'
import { wilson } from '../src/verdict/statistics.ts'
import { failed, judge } from './judged.ts'

const experiment = { phases: { ...lengths, faultMs: 24_000, endFaultWhenSure: true } }
/** Of 24 s it took 14.25 s: from 4 s to 18.25 s. */
const phases = phasesOf({ ...experiment.phases, faultMs: 14_250 })
const endedAfter = (look: number, made: MadeUp = {}) =>
  judge({ experiment, ...made, seen: { phases, endedAtLook: look } })

test('the report says how long the fault phase was to be and was', () => {
  const { verdict, endedEarly, notes } = endedAfter(2)
  expect(verdict).toBe('pass')
  expect(endedEarly).toEqual({ look: 2, looks: 4, plannedMs: 24_000, usedMs: 14_250 })
  expect(notes).toEqual([
    'the fault phase was over after 14.25 s of the 24 s planned: the verdict was sure by look 2 of 4',
  ])
  expect(judge().endedEarly).toBeNull()
})

test('all looks together miss no more often than one interval of 95 %', () => {
  // The share outside of so many deviations, by the tail of the normal distribution (Abramowitz & Stegun 26.2.17).
  const outside = (z: number) => {
    const t = 1 / (1 + 0.2316419 * z)
    const series = [0.31938153, -0.356563782, 1.781477937, -1.821255978, 1.330274429]
    const tail = series.reduce((all, factor, power) => all + factor * t ** (power + 1), 0)
    return (2 * tail * Math.exp((-z * z) / 2)) / Math.sqrt(2 * Math.PI)
  }
  const spent = Array.from({ length: looks }, (_, index) => outside(deviationsAt(index + 1)))
  expect(spent.reduce((a, b) => a + b)).toBeCloseTo(0.05, 3)
  expect(spent).toEqual([...spent].sort((a, b) => a - b))
})

test('an interval is as wide as the look that ended it, and the fault weighs as much as it was to', () => {
  const everyTenth = (ms: number, index: number) => (ms >= 4000 && ms < 18_250 && index % 10 === 0 ? failed : undefined)
  const [objective] = endedAfter(2, { answer: everyTenth }).objectives
  expect(objective?.ratio).toBeCloseTo((0.9 * 24 + 6) / 30, 3)
  const [plain] = judge({ answer: (ms, index) => (ms < 16_000 ? everyTenth(ms, index) : undefined) }).objectives
  const width = ({ interval }: { interval: [number, number] }) => interval[1] - interval[0]
  expect(width(objective!)).toBeGreaterThan(width(plain!))
  const flawless = endedAfter(2).objectives[0]!
  const [low] = wilson(1, 1)
  expect(flawless.interval[0]).toBeGreaterThan(low)
  expect(flawless.ratio).toBe(1)
})

test('what fell by the look stays fallen, however good the recovery is', () => {
  // Of 30 s planned, 10 bad ones are 33 %: over 1 % even if the rest is flawless.
  const report = endedAfter(2, { answer: ms => (ms >= 4000 && ms < 14_000 ? failed : undefined) })
  expect(report.verdict).toBe('fail')
  expect(report.reasons[0]).toMatch(/^available did not hold: /)
})

test('a fault phase that only began badly has not failed: its rest might have been good', () => {
  // 200 ms of 14 s are over the 1 % that may be bad of what was seen, and not of the 30 s that were planned.
  const answer = (ms: number) => (ms >= 4000 && ms < 4230 ? failed : undefined)
  expect(endedAfter(2, { answer }).verdict).not.toBe('fail')
})
