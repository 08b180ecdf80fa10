import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { Guard } from '../experiment/model.ts'
import { readExperiments } from '../experiment/read.ts'
import type { LoadSample } from '../load/load.ts'
import { type Clock, systemClock } from '../world.ts'
import { healthBreach, ObjectiveGuard } from './guard.ts'

const file = fileURLToPath(new URL('../../test/fixtures/duo/experiments/slow-back.yaml', import.meta.url))
const [experiment] = await readExperiments([file], { read: path => readFile(path, 'utf8') })

/** The duo: 100 requests a second through 2 s of fault and 1 s of recovery, 95 % to be good: 15 may be bad. */
function guardOf(conditions: Partial<Guard>): ObjectiveGuard {
  const objectives = experiment!.objectives.filter(({ name }) => name === 'look-availability')
  const none = { budget: undefined, errorRatio: undefined, health: undefined, prometheus: [] }
  return new ObjectiveGuard(experiment!, { objectives, ...none, ...conditions })
}

const sample = (at: number, status: number): LoadSample => ({
  at,
  latencyMs: 5,
  journey: 'look',
  step: 0,
  status,
  error: undefined,
  ok: status === 200,
})
/** One request every 10 ms from `from` on. */
const stretch = (from: number, count: number, status: number) =>
  Array.from({ length: count }, (_, index) => sample(from + index * 10, status))

test('a budget is spent by what is bad since the fault began, and breached by the first request too many', () => {
  const guard = guardOf({ budget: 1 })
  expect(guard.add(stretch(0, 40, 503))).toBeUndefined()
  guard.faultBegins(1000)
  expect(guard.add([...stretch(1000, 15, 503), ...stretch(1150, 20, 200)])).toBeUndefined()
  expect(guard.add(stretch(1350, 3, 503))).toEqual({
    at: 1355,
    reason:
      "look-availability spent over 100 % of the experiment's budget: 16 bad requests, where 300 at 95 % may have 15",
  })
})

test('half of a budget is half as many requests', () => {
  const guard = guardOf({ budget: 0.5 })
  guard.faultBegins(0)
  expect(guard.add(stretch(0, 7, 503))).toBeUndefined()
  expect(guard.add(stretch(70, 1, 503))?.at).toBe(75)
})

test('an error ratio is of what was answered within its window, whatever was before', () => {
  const guard = guardOf({ errorRatio: { above: 0.5, overMs: 200 } })
  expect(guard.add(stretch(0, 100, 200))).toBeUndefined()
  // The window holds 20 requests: 10 bad ones are half of them, and 11 are more.
  expect(guard.add(stretch(1000, 10, 503))).toBeUndefined()
  expect(guard.add(stretch(1100, 1, 503))).toEqual({
    at: 1105,
    reason: '11 of 20 requests within 200ms were bad for look-availability, over 50 %',
  })
})

test('too few requests tell nothing of a ratio', () => {
  const guard = guardOf({ errorRatio: { above: 0.5, overMs: 1000 } })
  expect(guard.add(stretch(0, 9, 503))).toBeUndefined()
  expect(guard.add(stretch(90, 1, 503))?.at).toBe(95)
})

/** Time passes only by sleeping. */
function virtualClock(): Clock {
  let now = 0
  return {
    now: () => now,
    wall: () => now,
    async sleep(ms) {
      now += ms
    },
  }
}

test('a service is unhealthy once none of its instances answers, twice in a row', async () => {
  const clock = virtualClock()
  const ending = new AbortController()
  const up = (url: string) =>
    ({ 'http://one/live': clock.now() < 1000, 'http://two/live': clock.now() !== 400 && clock.now() < 2000 })[url] ??
    false
  const probe = async (url: string) => up(url)
  const urls = ['http://one', 'http://two']
  const breach = await healthBreach({ service: 'back', path: '/live' }, urls, clock, ending.signal, probe)
  expect(breach?.at).toBe(2200)
  expect(breach?.reason).toBe('no instance of back answered GET /live with a 2xx within 250 ms, 2 times in a row')
})

test('one lost probe is forgiven, and a run that has ended is probed no more', async () => {
  const clock = virtualClock()
  const ending = new AbortController()
  const probe = async () => {
    if (clock.now() >= 2000) ending.abort()
    return clock.now() !== 400
  }
  const health = { service: 'back', path: '/live' }
  expect(await healthBreach(health, ['http://one'], clock, ending.signal, probe)).toBeUndefined()
})

test('what is probed is the path, at each instance, over HTTP', async () => {
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => {
    asked.push(request.url)
    response.writeHead(asked.length < 3 ? 200 : 503).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    const urls = [`http://127.0.0.1:${(server.address() as AddressInfo).port}`]
    const { signal } = new AbortController()
    const breach = await healthBreach({ service: 'back', path: '/live' }, urls, systemClock, signal)
    expect(breach?.reason).toContain('no instance of back answered GET /live')
    expect(new Set(asked)).toEqual(new Set(['/live']))
  } finally {
    server.closeAllConnections()
    server.close()
  }
})
