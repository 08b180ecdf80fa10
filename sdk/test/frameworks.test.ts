import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { startService, stopServices } from './service.ts'

let receiver: Receiver
beforeAll(async () => {
  receiver = await startReceiver()
})
beforeEach(() => {
  receiver.spans.length = 0
})
afterEach(stopServices)
afterAll(() => receiver.close())

interface Served {
  path: string
  status: number
  /** Undefined when no route of the framework matched. */
  route?: string | undefined
}

const served: Served[] = [
  { path: '/users/7/orders/9?q=1', status: 200, route: '/users/:user/orders/:id' },
  { path: '/broken', status: 500, route: '/broken' },
  { path: '/guarded/7', status: 401, route: '/guarded/:id' },
  { path: '/none/of/these', status: 404 },
]

const braced = served.map(one => ({ ...one, route: one.route?.replaceAll(/:(\w+)/g, '{$1}') }))

const table: { framework: string; entries: ('mjs' | 'cjs')[]; served: Served[] }[] = [
  { framework: 'fastify', entries: ['mjs', 'cjs'], served },
  { framework: 'koa', entries: ['mjs', 'cjs'], served },
  { framework: 'hapi', entries: ['mjs', 'cjs'], served: braced },
  { framework: 'hono', entries: ['mjs', 'cjs'], served },
  { framework: 'http', entries: ['mjs', 'cjs'], served },
  { framework: 'nest on express', entries: ['cjs'], served },
  { framework: 'nest on fastify', entries: ['cjs'], served },
]
const rows = table.flatMap(({ entries, ...row }) => entries.map(entry => ({ ...row, entry })))

test.each(rows)('$framework ($entry): one span, one series and one access line a request, by template', async row => {
  const service = await startService(`frameworks/entry.${row.entry}`, {
    env: {
      FRAMEWORK: row.framework,
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    },
  })
  for (const { path, status } of row.served) {
    const answer = await fetch(service.url + path)
    await answer.text()
    expect(answer.status, path).toBe(status)
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  service.child.kill()
  expect(await service.ended).toEqual([null, 'SIGTERM'])

  const access = service.lines().filter(line => line.msg === 'request completed')
  expect(access.map(line => [line['url.path'], line['http.response.status_code'], line['http.route']])).toEqual(
    row.served.map(({ path, status, route }) => [path.split('?')[0], status, route]),
  )

  const spans = receiver.spans.filter(span => span.kind === 2)
  expect(spans.map(span => [span.name, span.parentSpanId, span.attributes['http.route']])).toEqual(
    row.served.map(({ route }) => [route ? `GET ${route}` : 'GET', '', route]),
  )
  expect(spans.map(span => span.spanId)).toEqual(access.map(line => line.span_id))
  const others = receiver.spans.filter(span => span.kind !== 2)
  expect(others.map(span => [span.name, span.traceId, span.parentSpanId])).toEqual([
    ['price', spans[0]!.traceId, spans[0]!.spanId],
  ])

  const counted = [
    ...metrics.matchAll(/server_.*_count\{.*http_route="([^"]*)",http_response_status_code="(\d+)".* (\d+)/g),
  ]
  expect(counted.map(([, route, status, count]) => `${route} ${status} ${count}`)).toEqual(
    row.served.map(({ route = '', status }) => `${route} ${status} 1`),
  )
  expect(
    service
      .stderr()
      .split('\n')
      .filter(line => line.startsWith('shaketable') && !line.includes('health and metrics')),
  ).toEqual([])
})
