import { expect, test } from 'vitest'
import { negotiate, render } from './exposition.ts'
import { Histogram } from './histogram.ts'

test.each([
  [undefined, 'text'],
  ['*/*', 'text'],
  ['text/plain;version=0.0.4', 'text'],
  ['application/openmetrics-text; version=1.0.0', 'openmetrics'],
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.2', 'openmetrics'],
  ['application/openmetrics-text;q=0.1,text/plain', 'text'],
  ['application/openmetrics-text;version=2.0.0,text/plain;q=0.1', 'text'],
] as const)('Accept: %s is answered with %s', (accept, format) => {
  expect(negotiate(accept)).toBe(format)
})

test('a value on a boundary counts as within it', () => {
  const histogram = new Histogram('d_seconds', 'D.', ['route'], [0.1, 0.5])
  for (const value of [0.1, 0.10001, 0.5, 7]) histogram.series(['/a']).record(value)
  expect(render([histogram.family()], 'text')).toBe(`# HELP d_seconds D.
# TYPE d_seconds histogram
d_seconds_bucket{route="/a",le="0.1"} 1
d_seconds_bucket{route="/a",le="0.5"} 3
d_seconds_bucket{route="/a",le="+Inf"} 4
d_seconds_sum{route="/a"} ${0.1 + 0.10001 + 0.5 + 7}
d_seconds_count{route="/a"} 4
`)
})

test('label values are escaped', () => {
  const samples = [{ name: 'm', labels: { path: 'a\\b"c\nd' }, value: Number.NaN }]
  const text = render([{ name: 'm', help: 'x\ny', type: 'gauge', samples }], 'text')
  expect(text).toBe('# HELP m x\\ny\n# TYPE m gauge\nm{path="a\\\\b\\"c\\nd"} NaN\n')
})

test('beyond 2000 series everything goes into one overflow series, and the count stays right', () => {
  const histogram = new Histogram('d_seconds', 'D.', ['route'], [1])
  for (let at = 0; at < 2500; at++) histogram.series([`/${at}`]).record(0.5)
  const counts = histogram.family().samples.filter(sample => sample.name.endsWith('_count'))
  expect(counts).toHaveLength(2001)
  expect(counts.at(-1)).toMatchObject({ labels: { otel_metric_overflow: 'true' }, value: 500 })
})
