import { expect, test } from 'vitest'
import { againstBare, median, type Round, shareOf, typical } from './ratios.ts'
import type { Run } from './run.ts'

const run = (contender: string, cpuMicros: number, startMs = 100): Run => {
  const cost = { cpuMicros, requests: 1, requestsPerSecond: 1, p50Ms: 1, p99Ms: 1, unhurriedP50Ms: 1 }
  return { contender, startMs, rssMegabytes: 50, routes: { '/hello': cost, '/orders': cost } }
}

/** The second round ran on a machine half as fast. */
const rounds: Round[] = [
  [run('bare', 30), run('hand', 130), run('ours', 40, 140)],
  [run('ours', 80, 280), run('bare', 60, 200), run('hand', 260)],
  [run('hand', 130), run('ours', 45, 170), run('bare', 30)],
]

test('a share is taken within a round, so that a slow round does not move it', () => {
  expect(shareOf('hand', rounds, 'ours', '/hello')).toBeCloseTo(0.1)
  expect(shareOf('hand', rounds, 'bare', '/hello')).toBe(0)
  expect(shareOf('hand', rounds, 'hand', '/hello')).toBe(1)
})

test('a contender is compared with the bare app of the same round', () => {
  expect(againstBare(rounds, 'ours', (one, bare) => one.startMs - bare.startMs)).toBe(70)
  expect(typical(rounds, 'ours', one => one.startMs)).toBe(170)
})

test('who took no part is named', () => {
  expect(() => typical(rounds, 'dd-trace', one => one.startMs)).toThrow('dd-trace took no part in the race')
})

test('the median of an even number of values lies between the middle two', () => {
  expect(median([4, 1, 3, 2])).toBe(2.5)
})
