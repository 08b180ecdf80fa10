import { afterEach, describe, expect, test } from 'vitest'
import { controlKey, runner } from './faults-app/start.ts'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

async function startFaultable(fixture: string, env: Record<string, string> = {}) {
  const faults = { SHAKETABLE_FAULTS: 'on', SHAKETABLE_FAULTS_KEY: controlKey, SHAKETABLE_FAULTS_PORT: '0' }
  const service = await startService(fixture, { env: { ...faults, ...env } })
  const control = await until(() => /fault control is on (\S+)/.exec(service.stderr())?.[1])
  return { service, control: runner(control) }
}

const everything = { direction: 'inbound', method: 'GET' } as const
const lease = { percent: 100, scope: 'request', seed: 1, leaseMs: 60_000 } as const

describe.each(['express4.mjs', 'express5.mjs'])('%s', fixture => {
  test('the answers of a fault count under the route that the framework would have chosen', async () => {
    const receiver = await startReceiver()
    const otlp = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
    const { service, control } = await startFaultable(fixture, otlp)
    for (const path of ['/users/7/orders/9', '/users/7/orders', '/either/1', '/none']) await fetch(service.url + path)
    await control.arm('err', { ...lease, effect: { kind: 'error', status: 503 }, match: everything })

    const routes: Record<string, string | undefined> = {
      '/users/8/orders/1': '/users/:user/orders/:id',
      '/users/8/orders': '/users/:user/orders',
      '/either/2': '/either/:a',
      '/or/2': undefined,
      '/none': undefined,
    }
    for (const path of Object.keys(routes)) expect((await fetch(service.url + path)).status).toBe(503)

    const access = await until(() => {
      const lines = service.lines().filter(line => line['shaketable.fault.id'] === 'err')
      return lines.length === Object.keys(routes).length && lines
    })
    expect(Object.fromEntries(access.map(line => [line['url.path'], line['http.route']]))).toEqual(routes)

    const struck = await until(() => {
      const spans = receiver.spans.filter(span => span.attributes['shaketable.fault.id'] === 'err')
      return spans.length === Object.keys(routes).length && spans
    })
    expect(
      Object.fromEntries(struck.map(span => [span.attributes['url.path'], span.attributes['http.route']])),
    ).toEqual(routes)
    expect(new Set(struck.map(span => span.name))).toEqual(
      new Set(['GET', ...Object.values(routes).flatMap(route => (route ? [`GET ${route}`] : []))]),
    )

    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
    const counted = [...metrics.matchAll(/_count\{.*http_route="([^"]*)",http_response_status_code="503".* (\d+)/g)]
    expect(counted.map(([, route, count]) => `${route} ${count}`).sort()).toEqual([
      ' 2',
      '/either/:a 1',
      '/users/:user/orders 1',
      '/users/:user/orders/:id 1',
    ])
    await receiver.close()
  })
})

test('a delayed request has the route that the framework found, or none where it found none', async () => {
  const { service, control } = await startFaultable('express5.mjs')
  await fetch(`${service.url}/or/1`)
  const effect = { kind: 'latency', delayMs: 5, jitterMs: 0 } as const
  await control.arm('slow', { ...lease, effect, match: everything })
  for (const path of ['/either/1', '/passes']) await fetch(service.url + path)
  const lines = await until(() => {
    const found = service.lines().filter(line => line['shaketable.fault.id'] === 'slow')
    return found.length === 2 && found
  })
  expect(lines.map(line => line['http.route'])).toEqual(['/either/:a', undefined])
})

test("for Hapi's templates, too", async () => {
  const { service, control } = await startFaultable('frameworks/entry.mjs', { FRAMEWORK: 'hapi' })
  await fetch(`${service.url}/users/7/orders/9`)
  await control.arm('err', { ...lease, effect: { kind: 'error', status: 503 }, match: everything })
  for (const path of ['/users/8/orders/1', '/none']) expect((await fetch(service.url + path)).status).toBe(503)
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  const counted = metrics.matchAll(/_count\{.*http_route="([^"]*)",http_response_status_code="503".* (\d+)/g)
  expect([...counted].map(([, ...one]) => one.join(' '))).toEqual(['/users/{user}/orders/{id} 1', ' 1'])
})
