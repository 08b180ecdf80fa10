import { expect, test } from 'vitest'
import { CardinalityGuard } from './cardinality-guard.ts'
import type { Family } from './exposition.ts'

function bound(family: Omit<Family, 'help'>, times = 1) {
  const notices: string[] = []
  const guard = new CardinalityGuard(2, line => notices.push(line))
  let result: Family | undefined
  for (let at = 0; at < times; at++) result = guard.bound({ help: '', ...family })
  return { samples: result!.samples, notices }
}

const customers = (values: number[]) =>
  values.map((value, at) => ({ name: 'm', labels: { shop: 'a', customer: String(at) }, value }))

test('counters beyond the bound add up in one series, and one line names the metric and the label that did it', () => {
  const { samples, notices } = bound({ name: 'm', type: 'counter', samples: customers([1, 2, 3, 4]) }, 3)
  expect(samples).toEqual([...customers([1, 2]), { name: 'm', labels: { otel_metric_overflow: 'true' }, value: 7 }])
  expect(notices).toEqual([
    expect.stringContaining('the metric m has more than 2 series: its label customer has 4 values'),
  ])
})

test('at the bound nothing is folded and nothing is said', () => {
  const samples = customers([1, 2])
  expect(bound({ name: 'm', type: 'counter', samples })).toEqual({ samples, notices: [] })
})

test('of gauges the last one stands', () => {
  const { samples } = bound({ name: 'm', type: 'gauge', samples: customers([1, 2, 3, 4]) })
  expect(samples.at(-1)!.value).toBe(4)
})

test('histograms are folded bucket by bucket, summaries without their quantiles', () => {
  const series = (part: 'le' | 'quantile', customer: string) => [
    { name: part === 'le' ? 'm_bucket' : 'm', labels: { customer, [part]: '0.5' }, value: 1 },
    { name: 'm_sum', labels: { customer }, value: 10 },
    { name: 'm_count', labels: { customer }, value: 3 },
  ]
  const all = (part: 'le' | 'quantile') => ['a', 'b', 'c', 'd'].flatMap(customer => series(part, customer))
  const overflow = { otel_metric_overflow: 'true' }
  const counted = [
    { name: 'm_sum', labels: overflow, value: 20 },
    { name: 'm_count', labels: overflow, value: 6 },
  ]
  const histogram = bound({ name: 'm', type: 'histogram', samples: all('le') })
  const bucket = { name: 'm_bucket', labels: { ...overflow, le: '0.5' }, value: 2 }
  expect(histogram.samples.slice(6)).toEqual([bucket, ...counted])
  const summary = bound({ name: 'm', type: 'summary', samples: all('quantile') })
  expect(summary.samples.slice(6)).toEqual(counted)
})

test('what is bounded already is left as it is, and said', () => {
  const samples = [...customers([1, 2]), { name: 'm', labels: { otel_metric_overflow: 'true' }, value: 9 }]
  const { samples: left, notices } = bound({ name: 'm', type: 'counter', samples }, 2)
  expect(left).toEqual(samples)
  expect(notices).toHaveLength(1)
})
