import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices } from './service.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
afterEach(stopServices)
afterAll(() => receiver.close())

test('errors_and_slow sends the traces that failed or were slow, whole, and tells callees by b3', async () => {
  const service = await startService('edge.mjs', {
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_TRACES_SAMPLER: 'errors_and_slow',
      SHAKETABLE_SLOW_THRESHOLD: '300',
      OTEL_PROPAGATORS: 'b3',
      NEXT_URL: receiver.url,
    },
  })
  const paths = ['/hello', '/refused', '/hello', '/slow', '/fetch']
  for (const path of paths) await fetch(service.url + path)
  const traceId = '463ac35c9f6413ad48485a3953bb6124'
  await fetch(`${service.url}/hello`, { headers: { b3: `${traceId}-0020000000000001-1` } })
  service.child.kill()
  await service.ended
  const roots = receiver.spans.filter(span => span.kind === 2)
  // A machine that is busy may make any of them slow, but none of these three fast.
  const seen = roots.map(span => span.attributes['url.path'])
  expect(seen).toEqual(expect.arrayContaining(['/refused', '/slow', '/hello']))
  const refused = roots.find(span => span.attributes['url.path'] === '/refused')!
  const calls = receiver.spans.filter(span => span.traceId === refused.traceId && span.kind === 3)
  expect(calls.map(call => [call.parentSpanId, call.status.code])).toEqual([[refused.spanId, 2]])
  expect(receiver.spans.find(span => span.traceId === traceId)).toMatchObject({ parentSpanId: '0020000000000001' })
  const { headers } = receiver.requests.find(({ path }) => path === '/echo')!
  expect(headers.b3).toMatch(/^[0-9a-f]{32}-[0-9a-f]{16}-[01]$/)
  expect(headers).not.toHaveProperty('traceparent')
  const lines = service.lines()
  expect(lines).toHaveLength(6)
  const sent = new Set(receiver.spans.map(span => span.traceId))
  for (const line of lines) expect(line.trace_flags).toBe(sent.has(String(line.trace_id)) ? '01' : '00')
})
