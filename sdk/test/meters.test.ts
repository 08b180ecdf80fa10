import { afterEach, expect, test } from 'vitest'
import { type Service, startService, stopServices, until } from './service.ts'

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
    'shop_gifts_total{kind="big",otel_scope_name="app"} 1',
    'shop_wrapping_seconds_bucket{otel_scope_name="app",le="1"} 0',
  ])
    expect(text).toContain(`${line}\n`)
  expect(text).toContain('http_server_request_duration_seconds_count{')
  expect(text.match(/^# TYPE (\S+)/gm)).toHaveLength(new Set(text.match(/^# TYPE (\S+)/gm)).size)
  expect(service.stderr().trim().split('\n')).toEqual([expect.stringContaining('health and metrics are on')])
})

test('series beyond the bound are counted in one, and one line a metric names the label that did it', async () => {
  const service = await startService('meters.mjs', { env: { SHAKETABLE_MAX_SERIES: '10' } })
  await fetch(`${service.url}/?series=25`)
  await scrape(service)
  const text = await scrape(service)
  expect(text.match(/^shop_orders_total\{/gm)).toHaveLength(11)
  expect(text).toContain(`shop_orders_total{otel_metric_overflow="true",${scope}} 15\n`)
  expect(text.match(/^till_sales_total\{/gm)).toHaveLength(11)
  expect(text).toContain('till_sales_total{otel_metric_overflow="true"} 15\n')
  for (const name of ['shop_orders_total', 'till_sales_total']) {
    const said = new RegExp(`the metric ${name} has more than 10 series: its label customer has \\d+ values`, 'g')
    await until(() => service.stderr().match(said)?.length === 1)
  }
})
