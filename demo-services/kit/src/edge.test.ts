import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { afterEach, expect, test } from 'vitest'
import { deadlineHeader } from './deadline.ts'
import { Edge, type EdgeOptions, Unavailable, withFallback } from './edge.ts'
import { Resilience } from './resilience.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A replica that counts what it is asked, health checks aside. */
async function replica(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const seen: IncomingMessage[] = []
  const server = createServer((request, response) => {
    if (request.url === '/health') return void response.writeHead(503).end()
    seen.push(request)
    answer(request, response)
  }).listen(0, '127.0.0.1')
  servers.push(server)
  await once(server, 'listening')
  return { url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, seen }
}
const good = () =>
  replica((_request, response) => response.setHeader('content-type', 'application/json').end('{"a":1}'))
const failing = () => replica((_request, response) => response.writeHead(500).end())
const silent = () => replica(() => {})

const edge = (urls: string[], switches: string, options: Partial<EdgeOptions> = {}) =>
  new Edge('peer', {
    ...{ timeoutMs: 4000, deadlineMs: 5000, retries: 2, ...options },
    replicas: urls,
    switches: new Resilience(switches),
  })

test('a failed attempt is made again at another replica', async () => {
  const [bad, fine] = [await failing(), await good()]
  const answer = await edge([bad.url, fine.url], 'on').call('/thing')
  expect(answer).toEqual({ status: 200, body: { a: 1 } })
  expect([bad.seen.length, fine.seen.length]).toEqual([1, 1])
})

test('without retry the failure is the answer', async () => {
  const bad = await failing()
  await expect(edge([bad.url], 'off').call('/thing')).rejects.toMatchObject({ name: 'Unavailable', status: 500 })
  expect(bad.seen).toHaveLength(1)
})

test('a replica that fails three times in a row is left alone, and without the breaker it is not', async () => {
  const bad = await failing()
  const guarded = edge([bad.url], 'breaker', { allEjected: 'refuse' })
  const unguarded = edge([bad.url], 'off')
  for (let n = 0; n < 5; n++) await guarded.call('/thing').catch(() => {})
  expect(bad.seen).toHaveLength(3)
  for (let n = 0; n < 5; n++) await unguarded.call('/thing').catch(() => {})
  expect(bad.seen).toHaveLength(8)
})

test('where nobody has a fallback, replicas that are all ejected are tried all the same', async () => {
  const bad = await failing()
  const calls = edge([bad.url], 'breaker')
  for (let n = 0; n < 5; n++) await calls.call('/thing').catch(() => {})
  expect(bad.seen).toHaveLength(5)
})

test('a replica that says nothing is given up in time, and it was told how long it had', async () => {
  const mute = await silent()
  await expect(edge([mute.url], 'timeout', { timeoutMs: 100 }).call('/thing')).rejects.toThrow(
    'peer: no answer in 100 ms',
  )
  expect(mute.seen[0]?.headers[deadlineHeader]).toBe('100')
})

test('all retries of a dead dependency stay within the budget', async () => {
  const bad = await failing()
  const calls = edge([bad.url], 'retry')
  for (let n = 0; n < 50; n++) await calls.call('/thing').catch(() => {})
  expect(bad.seen.length).toBeGreaterThan(60)
  expect(bad.seen.length).toBeLessThanOrEqual(50 + 10 + 10)
})

test('the bulkhead turns away what is too much', async () => {
  const mute = await silent()
  const narrow = edge([mute.url], 'bulkhead,timeout', { concurrency: 1, timeoutMs: 100 })
  const results = await Promise.allSettled([narrow.call('/1'), narrow.call('/2'), narrow.call('/3')])
  const reasons = results.map(each => (each.status === 'rejected' ? String(each.reason.message) : 'answered'))
  expect(reasons).toContain('peer: too many calls at a time')
  expect(reasons.filter(each => each.includes('no answer'))).toHaveLength(2)
})

test('a fallback stands in for a failure only while the pattern is on', async () => {
  const fails = () => Promise.reject(new Unavailable('peer', 'down'))
  await expect(withFallback(fails, () => 'instead', new Resilience('fallback'))).resolves.toBe('instead')
  await expect(withFallback(fails, () => 'instead', new Resilience('off'))).rejects.toThrow('peer: down')
})
