import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import type { Indicator, Measure } from './objective.ts'
import { readObjectives } from './openslo.ts'
import { prometheusRules } from './rules.ts'
import { writeOpenSlo } from './write-openslo.ts'

test('a semantic objective is written as plain Prometheus queries', () => {
  expect(writeOpenSlo([objectiveOf()])).toMatchInlineSnapshot(`
    "apiVersion: openslo/v1
    kind: SLO
    metadata:
      name: checkout-latency
      displayName: Checkout latency
    spec:
      service: gateway
      budgetingMethod: Occurrences
      timeWindow:
        - duration: 30d
          isRolling: true
      objectives:
        - target: 0.99
      indicator:
        metadata:
          name: checkout-latency
        spec:
          ratioMetric:
            counter: true
            good:
              metricSource:
                type: prometheus
                spec:
                  query: sum(http_server_request_duration_seconds_bucket{job="gateway",http_request_method="POST",http_route="/checkout",http_response_status_code=~"[1-4][0-9][0-9]",le="0.5"})
            total:
              metricSource:
                type: prometheus
                spec:
                  query: sum(http_server_request_duration_seconds_count{job="gateway",http_request_method="POST",http_route="/checkout"})
    "
  `)
})

test('read again, what was written says the same and makes the same rules', () => {
  const raw = { type: 'prometheus', goodQuery: undefined, badQuery: 'bad', totalQuery: 'sum(all)' } as const
  const braces = checkout({ status: { below: 404 }, underSeconds: 1 })
  if (braces.type === 'shaketable') braces.selector.route = '/orders/{id}/"x"'
  const objectives = [
    objectiveOf({ labels: { team: 'shop' }, description: 'Two\nlines: of it', target: 0.9995 }),
    objectiveOf({ name: 'braces', title: 'braces', indicator: braces, windowMs: 28 * 86_400_000 }),
    objectiveOf({ name: 'raw', indicator: raw, windowMs: 36 * 3_600_000 }),
  ]
  const again = readObjectives(writeOpenSlo(objectives), 'again.yaml')
  expect(prometheusRules(again)).toEqual(prometheusRules(objectives))
  const without = (given: typeof again) => given.map(({ place: _, indicator: __, ...rest }) => rest)
  expect(without(again)).toEqual(without(objectives))
  expect(again.map(objective => objective.indicator.type)).toEqual(['prometheus', 'prometheus', 'prometheus'])
  expect(again[2]!.indicator).toEqual(raw)
})

test('slices, calendars and measurements are written so that they are read as they were', () => {
  const slices = { windowMs: 60_000, target: 0.95 }
  const of = (measure: Measure): Indicator => ({ type: 'measured', measure })
  const objectives = [
    objectiveOf({ name: 'a', indicator: of({ by: 'threshold', query: 'queue', op: 'lte', value: 5 }), slices }),
    objectiveOf({
      name: 'b',
      indicator: of({ by: 'ratio', query: 'satisfied', of: 'success' }),
      slices: { ...slices, target: undefined },
      windowMs: 30 * 86_400_000,
      calendar: { startTime: '2022-01-01 00:00:00', timeZone: 'Europe/Berlin', months: 1 },
    }),
    objectiveOf({
      name: 'c',
      indicator: of({ by: 'gauges', goodQuery: undefined, badQuery: 'bad', totalQuery: 'all' }),
      windowMs: 7 * 86_400_000,
      calendar: { startTime: '2022-01-01 12:00:00', timeZone: 'UTC', months: undefined },
    }),
  ]
  const again = readObjectives(writeOpenSlo(objectives), 'again.yaml')
  const without = (given: typeof again) => given.map(({ place: _, ...rest }) => rest)
  expect(without(again)).toEqual(without(objectives))
})

test('two objectives of one name are refused', () => {
  expect(() => writeOpenSlo([objectiveOf(), objectiveOf()])).toThrow('Two objectives are named')
})
