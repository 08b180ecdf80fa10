import { expect, test } from 'vitest'
import { CardinalityGuard } from './cardinality-guard.ts'
import { MetricCollection } from './collection.ts'
import type { Family } from './exposition.ts'

const gauge = (name: string, value: number): Family => ({
  name,
  help: '',
  type: 'gauge',
  samples: [{ name, labels: {}, value }],
})

test('of metrics with one name ours stays, then the Meter API one, and each clash is said once', async () => {
  const notices: string[] = []
  const notice = (line: string) => notices.push(line)
  const collection = new MetricCollection(new CardinalityGuard(10, notice), notice)
  const app = ['a', 'b', 'c'].map(name => ({ name, help: '', type: 'gauge', values: [{ value: 3 }] }))
  collection.addApp({ getMetricsAsJSON: () => app })
  collection.addMeters(() => [gauge('a', 2), gauge('b', 2)])
  collection.addOwn(() => [gauge('a', 1)])
  await collection.collect()
  const values = (await collection.collect()).map(({ name, samples }) => [name, samples[0]!.value])
  expect(values).toEqual([
    ['a', 1],
    ['b', 2],
    ['c', 3],
  ])
  expect(notices).toEqual([expect.stringContaining('both have the metric a, b')])
})
