import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

test("a user's own sampler, processor and exporter receive the same spans, and shutdown leaves nothing open", async () => {
  const service = await startService('own.mjs', { bare: true, env: { SHAKETABLE_ACCESS_LOG: 'off' } })
  expect(await service.ended).toEqual([0, null])
  const lines = service.lines()
  expect(lines.at(-1)).toEqual({ seen: ['processed work', 'processed GET', 'processed GET'] })
  expect(lines.slice(0, -1).map(line => line.name)).toEqual(['work', 'GET', 'GET'])
  for (const line of lines.slice(0, -1)) {
    expect(line).toMatchObject({ service: 'own', attributes: { by: 'my sampler', 'by.processor': true } })
  }
})

test("OpenTelemetry's own sampler, processor, exporter and propagator work, and send the same spans as ours", async () => {
  const [ours, theirs] = await Promise.all([startReceiver(), startReceiver()])
  const service = await startService('otel-pieces.mjs', {
    bare: true,
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: ours.url,
      OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=1',
      THEIR_URL: theirs.url,
    },
  })
  const b3 = '463ac35c9f6413ad48485a3953bb6124-0020000000000001-1'
  await fetch(`${service.url}/any?q=1`, { headers: { b3 } })
  await until(() => ours.spans.length >= 2 && theirs.spans.length >= 2)
  expect(ours.spans).toHaveLength(2)
  expect(theirs.spans).toEqual(ours.spans)
  expect(ours.spans.find(span => span.kind === 2)).toMatchObject({
    traceId: b3.slice(0, 32),
    parentSpanId: '0020000000000001',
  })
  await Promise.all([ours.close(), theirs.close()])
})
