import { afterEach, expect, it, vi } from 'vitest'
import { systemClock } from '../../world.ts'
import { prometheusFunctions } from './prometheus.ts'

afterEach(() => void vi.unstubAllGlobals())

async function urlOf(name: string, given: object, response = new Response('{"status":"success"}')): Promise<URL> {
  let url: URL | undefined
  vi.stubGlobal('fetch', async (asked: URL) => {
    url = asked
    return response
  })
  const known = prometheusFunctions[`chaosprometheus.probes.${name}`]!
  await known.run(known.arguments.parse(given) as Record<string, unknown>, {
    configuration: { prometheus_base_url: 'http://prometheus.test/base/' },
    clock: { ...systemClock, wall: () => 1_000_000_000_000 },
    signal: new AbortController().signal,
    seed: 1,
    journal: async () => {},
    undoes: () => {},
    cluster: () => Promise.reject(new Error('no cluster')),
  })
  return url as URL
}

it('asks for an interval in words of a time that both of us know', async () => {
  const { pathname, searchParams } = await urlOf('query_interval', {
    query: 'up',
    start: '5 minutes ago',
    end: '2001-09-09T01:46:40Z',
  })
  expect(pathname).toBe('/base/api/v1/query_range')
  expect(Object.fromEntries(searchParams)).toEqual({ query: 'up', step: '1', start: '999999700', end: '1000000000' })
})

it('fails where Prometheus refuses', async () => {
  const refused = new Response('parse error', { status: 400 })
  await expect(urlOf('query', { query: '(', when: 'now' }, refused)).rejects.toThrow(
    'Prometheus answers 400: parse error',
  )
})

it('takes no time that only Python reads', () => {
  const { arguments: given } = prometheusFunctions['chaosprometheus.probes.query']!
  expect(given.safeParse({ query: 'up', when: 'last Tuesday' }).success).toBe(false)
  expect(given.safeParse({ query: 'up', when: '1 hour ago' }).success).toBe(true)
})
