import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

test('a declarative configuration says where spans go and how; what it cannot say is refused with its place', async () => {
  const receiver = await startReceiver()
  const path = fileURLToPath(new URL('fixtures/otel.yaml', import.meta.url))
  const service = await startService('edge.mjs', { env: { OTEL_CONFIG_FILE: path, COLLECTOR: receiver.url } })
  const b3 = '463ac35c9f6413ad48485a3953bb6124-0020000000000001-1'
  await fetch(`${service.url}/hello`, { headers: { b3, 'user-agent': 'a long name' } })
  const span = await until(() => receiver.spans[0])
  expect(span).toMatchObject({
    traceId: b3.slice(0, 32),
    attributes: { 'user_agent.original': 'a long' },
    resource: { 'service.name': 'from the file', team: 'a=b, c' },
  })
  expect(receiver.requests[0]).toMatchObject({
    path: '/v1/traces',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip', 'x-tenant': 'shop 1' },
  })
  expect(service.stderr()).toContain(`${path}:22:3: views: is not supported and is ignored`)
  expect(service.stderr()).toMatch(/other variables are ignored: OTEL_SERVICE_NAME, /)
  await receiver.close()
})
