import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

const read = async (url: string, accept?: string) => {
  const answer = await fetch(`${url}/metrics`, { headers: accept ? { accept } : {} })
  return { type: answer.headers.get('content-type'), text: await answer.text() }
}

test('/metrics is Prometheus text by default and OpenMetrics with exemplars where asked for', async () => {
  const service = await startService('common.cjs')
  await fetch(`${service.url}/orders/1`)
  const plain = await read(service.adminUrl)
  expect(plain.type).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(plain.text).not.toContain('# {')
  const open = await read(service.adminUrl, 'application/openmetrics-text;version=1.0.0,text/plain;q=0.5')
  expect(open.type).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8')
  expect(open.text.endsWith('# EOF\n')).toBe(true)
  const exemplar = /http_server_request_duration_seconds_bucket\{.*\} \d+ # \{trace_id="(\w{32})",span_id="(\w{16})"\}/
  const [, traceId, spanId] = exemplar.exec(open.text)!
  const line = await until(() => service.lines().find(one => one.msg === 'request completed'))
  expect([traceId, spanId]).toEqual([line.trace_id, line.span_id])
})

test("the app's own prom-client metrics are there in both formats, and a clash is one warning", async () => {
  const service = await startService('common.cjs')
  await fetch(`${service.url}/orders/1`)
  for (const accept of ['text/plain', 'application/openmetrics-text']) {
    const { text } = await read(service.adminUrl, accept)
    expect(text).toContain('shop_orders_total{kind="a \\"b\\""} 1\n')
    expect(text).toMatch(/^shop_odd 1$/m)
    expect(text.match(/^# TYPE nodejs_heap_size_used_bytes /gm)).toHaveLength(1)
  }
  expect(service.stderr().match(/both have the metric/g)).toHaveLength(1)
})

test('the histogram counts every request once, in cumulative buckets up to +Inf', async () => {
  const service = await startService('common.cjs')
  for (let at = 0; at < 5; at++) await fetch(`${service.url}/orders/${at}`)
  await fetch(`${service.url}/late`)
  const { text } = await read(service.adminUrl)
  const labels = 'http_request_method="GET",http_route="/late",http_response_status_code="200",url_scheme="http"'
  const buckets = [...text.matchAll(new RegExp(`_server_request_duration_seconds_bucket\\{${labels}.*\\} (\\d+)`, 'g'))]
  expect(buckets).toHaveLength(15)
  expect(buckets[0]![1]).toBe('0')
  expect(buckets.at(-1)![1]).toBe('1')
  expect(text).toMatch(/_server_request_duration_seconds_count\{.*"\/orders\/:id".*"201".*\} 5/)
  expect(text).toContain('http_server_active_requests{http_request_method="GET",url_scheme="http"} 0')
  for (const name of ['eventloop_lag_p99_seconds', 'eventloop_utilization_ratio', 'gc_duration_seconds_count'])
    expect(text).toContain(`nodejs_${name}`)
})

test('client requests are counted by dependency', async () => {
  const next = await startService('edge.mjs')
  const service = await startService('edge.mjs', { env: { NEXT_URL: next.url } })
  await fetch(`${service.url}/fetch`)
  await fetch(`${service.url}/http`)
  const { text } = await read(service.adminUrl)
  const port = new URL(next.url).port
  expect(text).toContain(
    `http_client_request_duration_seconds_count{http_request_method="GET",server_address="127.0.0.1",server_port="${port}",http_response_status_code="200",error_type=""} 2`,
  )
})

test('a taken port is one warning and the service runs', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const service = await startService('edge.mjs', { env: { OTEL_EXPORTER_PROMETHEUS_PORT: String(port) } })
  expect(await (await fetch(`${service.url}/hello`)).text()).toBe('hello')
  expect(service.stderr().match(/cannot listen on 127\.0\.0\.1/g)).toHaveLength(1)
  taken.close()
})
