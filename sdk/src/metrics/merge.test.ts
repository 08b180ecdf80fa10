import { expect, test } from 'vitest'
import type { Family } from './exposition.ts'
import { Histogram } from './histogram.ts'
import { counted, merge } from './merge.ts'
import type { Metric } from './metric.ts'

const family = (type: Family['type'], name: string, value: number, labels = {}): Family => ({
  name,
  help: '',
  type,
  samples: [{ name, labels, value }],
})
const members = (...all: Family[][]) => all.map((families, at) => ({ name: `worker ${at + 1}`, families }))

test('counters add up by their labels, gauges stay apart under a label', () => {
  const one = [family('counter', 'jobs_total', 2, { kind: 'a' }), family('gauge', 'heap', 10)]
  const other = [family('counter', 'jobs_total', 3, { kind: 'a' }), family('gauge', 'heap', 20)]
  const third = [family('counter', 'jobs_total', 5, { kind: 'b' })]
  expect(merge(members(one, other, third)).map(one => one.samples)).toEqual([
    [
      { name: 'jobs_total', labels: { kind: 'a' }, value: 5 },
      { name: 'jobs_total', labels: { kind: 'b' }, value: 5 },
    ],
    [
      { name: 'heap', labels: { shaketable_member: 'worker 1' }, value: 10 },
      { name: 'heap', labels: { shaketable_member: 'worker 2' }, value: 20 },
    ],
  ])
})

test('what is in flight adds up, although it is a gauge', () => {
  const active = (value: number) => [family('gauge', 'http_server_active_requests', value)]
  expect(merge(members(active(1), active(2)))[0]!.samples).toEqual([
    { name: 'http_server_active_requests', labels: {}, value: 3 },
  ])
})

test('histograms add up bucket by bucket, and keep the newest exemplar', () => {
  const measured = (seconds: number, traceId: string) => {
    const histogram = new Histogram('took_seconds', '', ['route'], [1, 2])
    histogram.series(['/a']).record(seconds, { traceId, spanId: 's', traceFlags: 1 })
    return [histogram.family()]
  }
  const [merged] = merge(members(measured(0.5, 'old'), measured(1.5, 'new')))
  expect(merged!.samples.map(({ labels, value }) => [(labels as { le?: string }).le, value])).toEqual([
    ['1', 1],
    ['2', 2],
    ['+Inf', 2],
    [undefined, 2],
    [undefined, 2],
  ])
  expect(merged!.samples.flatMap(({ exemplar }) => exemplar?.labels.trace_id ?? [])).toEqual(['old', 'new'])
})

test('members stay as they were, so that they can be merged again', () => {
  const one = [family('counter', 'jobs_total', 2)]
  merge(members(one, one))
  expect(one[0]!.samples[0]!.value).toBe(2)
})

test("the Meter API's metrics add up under their own names, too", () => {
  const metric = (data: Metric['data']): Metric => ({
    name: 'm',
    description: '',
    unit: '',
    scope: { name: 's' },
    data,
  })
  const counter = (value: number, startMs: number): Family => ({
    ...family('counter', 'm_total', value),
    measured: [metric({ type: 'sum', monotonic: true, points: [{ attributes: { a: 1, b: 2 }, value, startMs }] })],
  })
  const histogram = (counts: number[], sum: number): Family => ({
    ...family('histogram', 'h', 0),
    measured: [
      metric({ type: 'histogram', points: [{ attributes: {}, count: 1, sum, boundaries: [1], counts: [...counts] }] }),
    ],
  })
  const gauge = (value: number): Family => ({
    ...family('gauge', 'g', value),
    measured: [metric({ type: 'gauge', points: [{ attributes: {}, value }] })],
  })
  const one = [counter(2, 20), histogram([1, 0], 0.5), gauge(7)]
  const other = [counter(3, 10), histogram([0, 1], 1.5), gauge(8)]
  const merged = merge(members(one, other))
  expect(merged.flatMap(({ measured }) => measured!.map(({ data }) => data.points))).toEqual([
    [{ attributes: { a: 1, b: 2 }, value: 5, startMs: 10 }],
    [{ attributes: {}, count: 2, sum: 2, boundaries: [1], counts: [1, 1] }],
    [
      { attributes: { 'shaketable.member': 'worker 1' }, value: 7 },
      { attributes: { 'shaketable.member': 'worker 2' }, value: 8 },
    ],
  ])
  expect(counted(merged).map(({ name }) => name)).toEqual(['m_total', 'h'])
})

test('of two types under one name the first stays', () => {
  expect(merge(members([family('counter', 'a', 1)], [family('gauge', 'a', 2)]))).toMatchObject([
    { type: 'counter', samples: [{ value: 1 }] },
  ])
})
