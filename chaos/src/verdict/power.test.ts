import { expect, test } from 'vitest'
import { random } from '../random.ts'
import { powerOf } from './power.ts'
import { clusteredInterval, deviations95, deviationsOf, wilson } from './statistics.ts'

test('as many bad requests as it says still pass, and one more does not', () => {
  for (const [planned, target] of [
    [720, 0.97],
    [1080, 0.99],
    [125, 0.97],
  ] as const) {
    const { mostBad } = powerOf(planned, target, 1)
    expect(wilson(planned - mostBad!, planned)[0]).toBeGreaterThanOrEqual(target)
    expect(wilson(planned - mostBad! - 1, planned)[0]).toBeLessThan(target)
  }
})

test('too few requests never pass, whatever they are', () => {
  expect(powerOf(124, 0.97, 1).mostBad).toBeUndefined()
  expect(powerOf(125, 0.97, 1).mostBad).toBe(0)
})

test('a single request never fails a target under the least that it can prove', () => {
  expect(powerOf(1, 0.5, 1).foundRatio).toBeUndefined()
})

test.each([
  [720, 0.97, 1],
  [720, 0.97, 2],
  [1080, 0.99, 1],
  [300, 0.95, 3],
])('of %d requests at %d, %d held, the break that it says is found in 99 of 100 runs', (planned, target, held) => {
  const { foundRatio } = powerOf(planned, target, held)
  const deviations = held === 1 ? deviations95 : deviationsOf(1 - 0.05 / held)
  const next = random(20_261_124)
  let failed = 0
  const runs = 2000
  for (let run = 0; run < runs; run++) {
    let good = 0
    for (let request = 0; request < planned; request++) if (next() >= foundRatio!) good++
    if (clusteredInterval([[{ good, total: planned }]], deviations)[1] < target) failed++
  }
  expect(failed / runs).toBeGreaterThan(0.983)
  expect(failed / runs).toBeLessThan(0.999)
})
