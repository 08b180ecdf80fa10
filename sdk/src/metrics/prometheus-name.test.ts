import { expect, test } from 'vitest'
import { otelAttribute, otelMetric } from '../names.ts'
import { labelName, prometheusName } from './prometheus-name.ts'

test.each([
  ['http.server.request.duration', 's', 'histogram', 'http_server_request_duration_seconds'],
  ['shop.orders', '{order}', 'counter', 'shop_orders_total'],
  ['shop.orders.total', '', 'counter', 'shop_orders_total'],
  ['shop.sent', 'By', 'counter', 'shop_sent_bytes_total'],
  ['shop.sent.bytes', 'By', 'gauge', 'shop_sent_bytes'],
  ['cpu.utilization', '1', 'gauge', 'cpu_utilization_ratio'],
  ['tries', '1', 'counter', 'tries_total'],
  ['speed', 'm/s', 'gauge', 'speed_meters_per_second'],
  ['rate', '{request}/s', 'gauge', 'rate_per_second'],
  ['rounds', 'fortnight', 'gauge', 'rounds_fortnight'],
  ['9lives--left', '', 'gauge', '_9lives_left'],
] as const)('%s in %s is, as a %s, %s', (name, unit, type, expected) => {
  expect(prometheusName(name, unit, type)).toBe(expected)
})

test('our own names on /metrics are those that follow from our OpenTelemetry names', () => {
  for (const [name, { name: otelName, unit }] of Object.entries(otelMetric)) {
    const type = name.endsWith('_total') ? 'counter' : unit === 's' ? 'histogram' : 'gauge'
    expect(prometheusName(otelName, unit, type)).toBe(name)
  }
  for (const [label, attribute] of Object.entries(otelAttribute)) expect(labelName(attribute)).toBe(label)
})
