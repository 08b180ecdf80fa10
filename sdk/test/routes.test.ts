import { afterEach, describe, expect, test } from 'vitest'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

describe.each(['express4.mjs', 'express5.mjs'])('%s', fixture => {
  test('http.route is the template, of mounted routers and pattern lists too, and never a raw path', async () => {
    const service = await startService(fixture)
    const routes: Record<string, string | undefined> = {
      '/users/7/orders/9': '/users/:user/orders/:id',
      '/users/7/orders': '/users/:user/orders',
      '/either/1': '/either/:a',
      '/or/2': '/or/:b',
      '/broken': '/broken',
      '/passes': undefined,
      '/none/of/these': undefined,
    }
    for (const path of Object.keys(routes)) await fetch(service.url + path)
    const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
    const access = await until(() => {
      const lines = service.lines().filter(line => line.msg === 'request completed')
      return lines.length === Object.keys(routes).length && lines
    })
    expect(Object.fromEntries(access.map(line => [line['url.path'], line['http.route']]))).toEqual(routes)
    const counted = [...metrics.matchAll(/_count\{.*http_route="([^"]*)",http_response_status_code="(\d+)".* (\d+)/g)]
    expect(counted.map(([, route, status, count]) => `${route} ${status} ${count}`)).toEqual([
      '/users/:user/orders/:id 200 1',
      '/users/:user/orders 200 1',
      '/either/:a 200 1',
      '/or/:b 200 1',
      '/broken 500 1',
      ' 404 2',
    ])
  })
})
