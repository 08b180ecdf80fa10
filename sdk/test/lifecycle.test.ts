import { afterEach, describe, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

afterEach(stopServices)

const ready = async (url: string) => (await fetch(`${url}/readyz`)).status

const untilOpen = (service: Service, count: number) =>
  until(async () =>
    new RegExp(`active_requests\\{.*\\} ${count}\n`).test(await (await fetch(`${service.adminUrl}/metrics`)).text()),
  )

/** Without our own lines, and without the frame that any AsyncLocalStorage adds to a stack in Node 22. */
const withoutOurs = (stderr: string) =>
  stderr.replace(/^shaketable: .*\n|^ {4}at process\.callbackTrampoline .*\n/gm, '')

/** Nothing is sent before the end. */
const sendingTo = (url: string) => ({
  OTEL_TRACES_EXPORTER: 'otlp',
  OTEL_EXPORTER_OTLP_ENDPOINT: url,
  OTEL_BSP_SCHEDULE_DELAY: '60000',
})

test('--require, which cannot start the SDK, says so, and the service runs without it', async () => {
  const service = await startService('edge.mjs', { bare: true, flags: ['--require', '@shaketable/sdk/register'] })
  expect(await (await fetch(`${service.url}/hello`)).text()).toBe('hello')
  service.child.kill()
  await service.ended
  expect(service.stderr()).toMatch(/^shaketable: --require cannot .*: use node --import @shaketable\/sdk\/register\n$/)
})

describe('on a signal', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)(
    'after %s: not ready, requests in flight finish, nothing new gets in, the exit status is the signal',
    async signal => {
      const service = await startService('edge.mjs')
      expect(await ready(service.adminUrl)).toBe(200)
      const slow = fetch(`${service.url}/slow`)
      const begun = await fetch(`${service.url}/stream`)
      await untilOpen(service, 2)
      service.child.kill(signal)
      await until(async () => (await ready(service.adminUrl)) === 503)
      await expect(fetch(`${service.url}/hello`)).rejects.toThrow()
      expect(service.lines()).toEqual([])
      expect(await begun.text()).toBe('begun and ended')
      expect(await (await slow).text()).toBe('slow')
      expect(await service.ended).toEqual([null, signal])
      const ends = service
        .lines()
        .map(line => [line['url.path'], line['http.response.status_code'], line['error.type']])
      expect(ends.sort()).toEqual([
        ['/slow', 200, undefined],
        ['/stream', 200, undefined],
      ])
    },
  )

  test('a request that never ends is given up after SHAKETABLE_DRAIN_TIMEOUT', async () => {
    const receiver = await startReceiver()
    const env = { ...sendingTo(receiver.url), SHAKETABLE_DRAIN_TIMEOUT: '100' }
    const service = await startService('edge.mjs', { env })
    const hanging = fetch(`${service.url}/hang`).catch(() => 'gone')
    await untilOpen(service, 1)
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual([null, 'SIGTERM'])
    expect(await hanging).toBe('gone')
    expect(service.lines()).toMatchObject([{ 'url.path': '/hang', 'error.type': 'drain_timeout', level: 50 }])
    expect(receiver.spans.map(span => span.attributes['error.type'])).toEqual(['drain_timeout'])
    await receiver.close()
  })

  test("the app's own handler keeps the shutdown to itself", async () => {
    const service = await startService('edge.mjs', { env: { OWN_SIGTERM: '1' } })
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual([5, null])
    expect(service.stdout()).toContain('my own way')
  })

  test('a handler that closes the server and raises the signal again, as NestJS has, ends the process by it', async () => {
    const service = await startService('edge.mjs', { env: { OWN_SIGTERM: 'again' } })
    service.child.kill('SIGTERM')
    expect(await service.ended).toEqual([null, 'SIGTERM'])
  })
})

describe('without a signal', () => {
  const ways = [
    ['an uncaught exception', '/crash', 'TypeError: the wheels came off'],
    ['an unhandled rejection', '/reject', 'Error: nobody caught me'],
    ['process.exit', '/exit', ''],
    ['nothing left to do', '/finish', ''],
  ] as const

  test.each(ways)(
    '%s ends the process as it would without the SDK, and spans and log lines are out',
    async (...way) => {
      const [, path, message] = way
      const receiver = await startReceiver()
      const service = await startService('edge.mjs', { env: sendingTo(receiver.url) })
      const bare = await startService('edge.mjs', { bare: true })
      await Promise.all([fetch(service.url + path), fetch(bare.url + path)])
      expect(await service.ended).toEqual(await bare.ended)
      expect(service.stderr()).toContain(message)
      expect(withoutOurs(service.stderr())).toBe(bare.stderr())
      expect(receiver.spans.map(span => span.attributes['url.path'])).toEqual([path])
      expect(service.lines().map(line => line['url.path'])).toEqual([path])
      await receiver.close()
    },
  )

  test('a scraper that keeps its connection does not keep the process', async () => {
    const service = await startService('edge.mjs')
    await (await fetch(`${service.adminUrl}/metrics`)).text()
    const from = performance.now()
    await fetch(`${service.url}/finish`)
    expect(await service.ended).toEqual([0, null])
    // Node itself closes an idle connection after 5 s.
    expect(performance.now() - from).toBeLessThan(4_000)
  })

  test.each([
    ['/crash', 'uncaught_exception', [1, null]],
    ['/exit', 'process_exit', [7, null]],
  ] as const)('requests that are open when %s ends the process are ended by %s, in span and log', async (...way) => {
    const [path, reason, end] = way
    const receiver = await startReceiver()
    const service = await startService('edge.mjs', { env: sendingTo(receiver.url) })
    const open = ['/hang', '/open'].map(one => fetch(service.url + one).then(answer => answer.text()))
    const gone = Promise.allSettled(open)
    await untilOpen(service, 2)
    await fetch(service.url + path)
    expect(await service.ended).toEqual(end)
    await gone
    const ended = { [path]: undefined, '/hang': reason, '/open': reason }
    const types = receiver.spans.map(span => [span.attributes['url.path'], span.attributes['error.type']])
    expect(Object.fromEntries(types)).toEqual(ended)
    expect(receiver.spans.find(span => span.attributes['url.path'] === '/open')?.status.code).toBe(2)
    const lines = service.lines()
    expect(Object.fromEntries(lines.map(line => [line['url.path'], line['error.type']]))).toEqual(ended)
    expect(lines.find(line => line['url.path'] === '/open')?.['http.response.status_code']).toBe(200)
    await receiver.close()
  })
})
