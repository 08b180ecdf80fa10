import { expect, test } from 'vitest'
import { Tally } from './counter.ts'

test('a counter counts by its labels, and beyond 2,000 of them in one overflow series', () => {
  const tally = new Tally('counter', 'hits_total', 'Hits.', ['fault'])
  for (let at = 0; at < 2_100; at++) tally.add(1, `f${at}`)
  tally.add(5, 'f0')
  const { samples } = tally.family()
  expect(samples).toHaveLength(2_001)
  expect(samples[0]).toEqual({ name: 'hits_total', labels: { fault: 'f0' }, value: 6 })
  expect(samples.at(-1)).toEqual({ name: 'hits_total', labels: { otel_metric_overflow: 'true' }, value: 100 })
})
