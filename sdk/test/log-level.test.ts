import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Service, startService, stopServices, until } from './service.ts'

const key = 'a-key-of-the-admin'
let service: Service

const command = (method: string, query = '', authorization = `Bearer ${key}`) =>
  fetch(`${service.adminUrl}/loglevel${query}`, { method, headers: { authorization } })

/** The debug lines of one request. */
async function debugLines(): Promise<unknown[]> {
  const before = service.lines().length
  await fetch(service.url)
  const isEnd = (line: Record<string, unknown>) => line.msg === 'request completed'
  await until(() => service.lines().slice(before).some(isEnd))
  return service
    .lines()
    .slice(before)
    .filter(line => !isEnd(line))
    .map(line => line.msg ?? line.message)
    .sort()
}

beforeAll(async () => {
  service = await startService('levels.mjs', { env: { SHAKETABLE_ADMIN_KEY: key } })
})
afterAll(stopServices)

test('one command sets the level of every logger, made before or after it, and another one takes it back', async () => {
  expect(await debugLines()).toEqual([])
  const set = await command('PUT', '?level=debug&seconds=60')
  expect([set.status, await set.json()]).toEqual([200, { level: 'debug', seconds: 60, loggers: expect.any(Number) }])
  expect(await debugLines()).toEqual(['by a new child', 'by its child', 'by pino', 'by winston'])
  expect(await (await command('DELETE')).json()).toEqual({ level: 'own', seconds: 0 })
  expect(await debugLines()).toEqual([])
})

test.each([
  ['PUT', '?level=debug', 'Bearer wrong', 401],
  ['PUT', '?level=loud', undefined, 400],
  ['PUT', '?level=debug&seconds=0', undefined, 400],
  ['POST', '', undefined, 405],
])('%s %s with %s is refused', async (method, query, authorization, status) => {
  expect((await command(method, query, authorization)).status).toBe(status)
})

test('without a key nobody changes levels', async () => {
  const keyless = await startService('levels.mjs', { env: { SHAKETABLE_ADMIN_KEY: 'short' } })
  expect(keyless.stderr()).toContain('SHAKETABLE_ADMIN_KEY needs at least 16 characters')
  const refused = await fetch(`${keyless.adminUrl}/loglevel?level=debug`, { method: 'PUT' })
  expect([refused.status, await refused.text()]).toEqual([403, 'set SHAKETABLE_ADMIN_KEY to change log levels here\n'])
})
