import { afterEach, expect, test } from 'vitest'
import { type Service, startService, stopServices } from './service.ts'

afterEach(stopServices)

const scrape = async (service: Service) => (await fetch(`${service.adminUrl}/metrics`)).text()
const scope = 'otel_scope_name="shop",otel_scope_version="2.1.0"'

test('what the Meter API and prom-client measure stands on /metrics beside our own, under names of Prometheus', async () => {
  const service = await startService('meters.mjs')
  await fetch(`${service.url}/measure`)
  const text = await scrape(service)
  for (const line of [
    '# HELP shop_orders_total Orders.\n# TYPE shop_orders_total counter',
    `shop_orders_total{count="1",order_kind="new",${scope}} 2`,
    `# TYPE shop_waiting gauge\nshop_waiting{${scope}} 2`,
    `shop_basket_size_bytes_bucket{${scope},le="10"} 0`,
    `shop_basket_size_bytes_bucket{${scope},le="100"} 1`,
    `shop_basket_size_bytes_bucket{${scope},le="+Inf"} 1`,
    `shop_basket_size_bytes_sum{${scope}} 50`,
    `shop_basket_size_bytes_count{${scope}} 1`,
    `shop_speed_meters_per_second{${scope}} 1.5`,
    `shop_stock_ratio{shelf="top",${scope}} 0.5`,
    `shop_time_milliseconds_total{${scope}} 7`,
    'till_sales_total{customer="first"} 1',
  ])
    expect(text).toContain(`${line}\n`)
  expect(text).toContain('http_server_request_duration_seconds_count{')
  expect(text.match(/^# TYPE (\S+)/gm)).toHaveLength(new Set(text.match(/^# TYPE (\S+)/gm)).size)
  expect(service.stderr().trim().split('\n')).toHaveLength(1)
})
