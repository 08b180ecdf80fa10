import { afterEach, expect, test } from 'vitest'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

test.each(['express4.mjs', 'express5.mjs', 'common.cjs'])(
  'in %s every pino line, of child loggers too, carries the ids of its request',
  async fixture => {
    const service = await startService(fixture)
    const path = fixture === 'common.cjs' ? '/orders/1' : '/users/7/orders/9'
    await fetch(service.url + path)
    const [own, access] = await until(() => service.lines().length >= 2 && service.lines())
    expect(own).toMatchObject({
      trace_id: expect.stringMatching(/^[0-9a-f]{32}$/),
      span_id: expect.stringMatching(/^[0-9a-f]{16}$/),
      trace_flags: '01',
    })
    expect(access).toMatchObject({ trace_id: own!.trace_id, span_id: own!.span_id, msg: 'request completed' })
  },
)

test('a line written in an event listener of the request carries its ids too', async () => {
  const service = await startService('edge.mjs')
  await fetch(`${service.url}/body`, { method: 'POST', body: 'x'.repeat(100_000) })
  const [own, access] = await until(() => service.lines().length >= 2 && service.lines())
  expect(own).toMatchObject({ msg: 'in a listener', trace_id: access!.trace_id, span_id: access!.span_id })
})

test('requests that run at the same time on few connections keep their own ids', async () => {
  const service = await startService('edge.mjs')
  const ids = Array.from({ length: 40 }, (_, at) => String(at + 1).padStart(32, '0'))
  await Promise.all(
    ids.map(async id => {
      const headers = { traceparent: `00-${id}-00f067aa0ba902b7-01` }
      await (await fetch(`${service.url}/body`, { method: 'POST', body: 'x'.repeat(70_000), headers })).text()
    }),
  )
  const lines = await until(() => service.lines().length >= 80 && service.lines())
  for (const kind of ['in a listener', 'request completed']) {
    const seen = lines.filter(line => line.msg === kind).map(line => line.trace_id)
    expect(seen.sort()).toEqual(ids)
  }
})

test('one access line a request, its level by the status', async () => {
  const service = await startService('express5.mjs')
  for (const path of ['/or/1', '/none', '/broken']) await fetch(service.url + path)
  const lines = await until(() => service.lines().length >= 3 && service.lines())
  expect(lines.map(line => [line.level, line['http.response.status_code'], line['service.name']])).toEqual([
    [30, 200, 'tested'],
    [40, 404, 'tested'],
    [50, 500, 'tested'],
  ])
})

test('SHAKETABLE_ACCESS_LOG=off leaves the log to the app', async () => {
  const service = await startService('common.cjs', { env: { SHAKETABLE_ACCESS_LOG: 'off' } })
  await fetch(`${service.url}/orders/1`)
  service.child.kill()
  await service.ended
  expect(service.lines().map(line => line.msg)).toEqual(['an order'])
})
