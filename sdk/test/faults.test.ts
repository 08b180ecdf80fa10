import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  type ArmRequest,
  authorizationOf,
  type FaultEffect,
  type FaultMatch,
  type RequestEffect,
} from '../src/faults/wire.ts'
import { type App, controlKey, runner, startApp } from './faults-app/start.ts'

let app: App
let dependency: Server
let dependencyUrl: string
let control: ReturnType<typeof runner>

beforeAll(async () => {
  dependency = createServer(async (request, response) => {
    let bytes = 0
    for await (const chunk of request) bytes += chunk.length
    response.end(`real ${bytes}`)
  })
  await new Promise<void>(resolve => dependency.listen(0, '127.0.0.1', resolve))
  dependencyUrl = `http://127.0.0.1:${(dependency.address() as AddressInfo).port}/pay/7?now=1`
  app = await startApp()
  control = runner(app.control!)
})
afterEach(async () => {
  for (const { id } of await control.list()) await control.disarm(id)
})
afterAll(async () => {
  await app?.stop()
  dependency?.close()
  dependency?.closeAllConnections()
})

interface Outcome {
  status?: number
  error?: string
  body?: string
  ms: number
}

const timed = async (run: () => Promise<Omit<Outcome, 'ms'>>): Promise<Outcome> => {
  const start = performance.now()
  return { ...(await run()), ms: performance.now() - start }
}
const received = (path = '/hello', init: RequestInit = {}): Promise<Outcome> =>
  timed(() =>
    fetch(app.url + path, init)
      .then(async reply => ({ status: reply.status, body: await reply.text() }))
      .catch(error => ({ error: error.cause?.code ?? error.name })),
  )
const made =
  (by: 'fetch' | 'node') =>
  (options = ''): Promise<Outcome> =>
    timed(async () => {
      const reply = await fetch(`${app.url}/${by}?to=${encodeURIComponent(dependencyUrl)}${options}`)
      return (await reply.json()) as Outcome
    })

const ways: Record<string, { direction: FaultMatch['direction']; hit(): Promise<Outcome> }> = {
  'a request received': { direction: 'inbound', hit: () => received() },
  'a request made with fetch': { direction: 'outbound', hit: () => made('fetch')() },
  'a request made with node:http': { direction: 'outbound', hit: () => made('node')() },
}

const arming = (effect: FaultEffect, match: FaultMatch, rest: Partial<ArmRequest> = {}): ArmRequest => ({
  effect,
  match,
  percent: 100,
  scope: 'attempt',
  seed: 1,
  leaseMs: 60_000,
  ...rest,
})

/** Hits while `effect` is armed, and sees it; a hang is let go by disarming it. */
const sees: Record<RequestEffect['kind'], { effect: FaultEffect; check(outcome: Outcome): void }> = {
  latency: {
    effect: { kind: 'latency', delayMs: 60, jitterMs: 10 },
    check: outcome => {
      expect(outcome.status).toBe(200)
      expect(outcome.ms).toBeGreaterThan(48)
    },
  },
  error: {
    effect: { kind: 'error', status: 503, body: 'sorry' },
    check: outcome => expect(outcome).toMatchObject({ status: 503, body: 'sorry' }),
  },
  reset: { effect: { kind: 'reset' }, check: outcome => expect(outcome.error).toBe('ECONNRESET') },
  hang: { effect: { kind: 'hang' }, check: outcome => expect(outcome.error).toBe('ECONNRESET') },
  truncate: {
    effect: { kind: 'truncate', afterBytes: 3 },
    check: outcome => expect(outcome.error).toMatch(/ECONNRESET|UND_ERR_SOCKET/),
  },
  bandwidth: {
    effect: { kind: 'bandwidth', bytesPerSecond: 100 },
    check: outcome => {
      expect(outcome).toMatchObject({ status: 200, body: expect.stringMatching(/^real 0$|^\{.*\}$/) })
      expect(outcome.ms).toBeGreaterThan(48)
    },
  },
}

describe.each(Object.keys(ways))('%s', way => {
  const { direction, hit } = ways[way]!

  test.each(Object.keys(sees) as RequestEffect['kind'][])('meets %s as long as it is armed', async kind => {
    const { effect, check } = sees[kind]
    const id = `${kind}-1`
    const countedBefore = app.counted.length
    expect(await control.arm(id, arming(effect, { direction }))).toMatchObject({
      status: 200,
      body: { id, seen: 0, hit: 0 },
    })

    if (kind === 'hang') {
      const pending = [hit(), hit()]
      await expect.poll(async () => (await control.list())[0]?.hit).toBe(2)
      expect(await control.disarm(id)).toMatchObject({ status: 200, body: { seen: 2, hit: 2, expiresInMs: 0 } })
      for (const one of pending) check(await one)
    } else {
      check(await hit())
      expect((await control.renew([id], 30_000)).body.faults).toMatchObject([{ id, seen: 1, hit: 1 }])
      check(await hit())
      expect(await control.disarm(id)).toMatchObject({ status: 200, body: { seen: 2, hit: 2, expiresInMs: 0 } })
    }
    expect(await hit()).toMatchObject({ status: 200 })
    await expect.poll(() => app.counted.slice(countedBefore)).toEqual([`${id} ${kind}`, `${id} ${kind}`])

    await control.arm(id, arming(effect, { direction }, { leaseMs: 100 }))
    const last = kind === 'hang' ? hit() : undefined
    await expect.poll(() => control.list()).toEqual([])
    if (last) check(await last)
    expect(await hit()).toMatchObject({ status: 200 })
    expect((await control.disarm(id)).status).toBe(404)
  })
})

test('a delayed POST of 300 kB loses no byte, in either direction', async () => {
  const body = Buffer.alloc(300_000, 'payload ')
  await control.arm('slow-in', arming(sees.latency.effect, { direction: 'inbound', path: '/echo' }))
  await control.arm('slow-out', arming(sees.latency.effect, { direction: 'outbound' }))
  const echoed = await received('/echo', { method: 'POST', body })
  expect(JSON.parse(echoed.body!)).toEqual({ bytes: 300_000, sha256: createHash('sha256').update(body).digest('hex') })
  expect(echoed.ms).toBeGreaterThan(48)
  for (const by of ['fetch', 'node'] as const)
    expect(await made(by)('&body')).toMatchObject({ status: 200, body: 'real 300000' })
})

test('disarming lets a trickling body go on at once', async () => {
  const pouring = arming({ kind: 'bandwidth', bytesPerSecond: 1 }, { direction: 'inbound' })
  await control.arm('slow', pouring)
  const pending = received()
  await expect.poll(async () => (await control.list())[0]?.hit).toBe(1)
  await control.disarm('slow')
  expect(await pending).toMatchObject({ status: 200, body: expect.stringContaining('"sha256"') })
})

test.each([
  ['fetch', 'TimeoutError'],
  ['node', 'TypeError'],
] as const)("the caller's own timeout cuts a delay and a hang of %s short", async (by, error) => {
  for (const effect of [{ kind: 'latency', delayMs: 20_000, jitterMs: 0 }, { kind: 'hang' }] as const) {
    await control.arm('slow', arming(effect, { direction: 'outbound' }))
    const outcome = await made(by)('&limit=80')
    expect(outcome.error).toBe(error)
    expect(outcome.ms).toBeLessThan(10_000)
  }
})

test('disarming lets a delayed request go on at once', async () => {
  await control.arm('slow', arming({ kind: 'latency', delayMs: 60_000, jitterMs: 0 }, { direction: 'inbound' }))
  const pending = received()
  await expect.poll(async () => (await control.list())[0]?.hit).toBe(1)
  await control.disarm('slow')
  expect(await pending).toMatchObject({ status: 200 })
})

test('arming an id again replaces the fault whole', async () => {
  await control.arm('f', arming({ kind: 'error', status: 500 }, { direction: 'inbound' }))
  expect(await received()).toMatchObject({ status: 500, body: '{"error":"injected fault: 500 Internal Server Error"}' })
  await control.arm('f', arming({ kind: 'error', status: 429 }, { direction: 'inbound', path: '/other/*' }))
  expect(await received()).toMatchObject({ status: 200 })
  expect(await received('/other/one')).toMatchObject({ status: 429 })
  expect(await control.list()).toMatchObject([{ id: 'f', seen: 1, hit: 1 }])
})

test('a fault chooses by method, path, caller and dependency', async () => {
  const error = { kind: 'error', status: 418 } as const
  await control.arm(
    'in',
    arming(error, { direction: 'inbound', method: 'POST', path: '/orders/:id', from: 'my gateway' }),
  )
  const from = { baggage: 'a=b,shaketable.caller=my%20gateway;p=1' }
  expect(await received('/orders/1?x=y', { method: 'POST', headers: from })).toMatchObject({ status: 418 })
  expect(await received('/orders/1', { headers: from })).toMatchObject({ status: 200 })
  expect(await received('/orders/1/lines', { method: 'POST', headers: from })).toMatchObject({ status: 200 })
  expect(await received('/orders/1', { method: 'POST' })).toMatchObject({ status: 200 })

  const { port } = new URL(dependencyUrl)
  await control.arm('out', arming(error, { direction: 'outbound', path: '/pay/:id', peers: [`localhost:${port}`] }))
  for (const by of ['fetch', 'node'] as const) expect(await made(by)()).toMatchObject({ status: 418 })
  await control.arm('out', arming(error, { direction: 'outbound', peers: ['localhost:1'] }))
  for (const by of ['fetch', 'node'] as const) expect(await made(by)()).toMatchObject({ status: 200 })
})

test('a fault chooses by a header, and by its percentage as a ramp has reached it', async () => {
  const error = { kind: 'error', status: 418 } as const
  await control.arm('in', arming(error, { direction: 'inbound', headers: { 'x-canary': 'yes' } }))
  expect(await received('/hello', { headers: { 'X-Canary': 'yes' } })).toMatchObject({ status: 418 })
  expect(await received('/hello', { headers: { 'X-Canary': 'no' } })).toMatchObject({ status: 200 })
  expect(await received()).toMatchObject({ status: 200 })

  const ramp = { of: 'percent', overMs: 1000 } as const
  await control.arm('in', arming(error, { direction: 'inbound' }, { schedule: { ageMs: 1000, ramp } }))
  expect(await received()).toMatchObject({ status: 418 })
  expect(await control.list()).toMatchObject([{ seen: 1, hit: 1, expected: 1 }])
  await control.arm(
    'in',
    arming(error, { direction: 'inbound' }, { schedule: { pulse: { onMs: 1, offMs: 60_000 }, ageMs: 2 } }),
  )
  expect(await received()).toMatchObject({ status: 200 })
  expect(await control.list()).toMatchObject([{ seen: 0, hit: 0, expected: 0 }])
})

test('a process stalls, computes and swells as long as a fault is armed, and no longer', async () => {
  const threads = () => readdirSync(`/proc/${app.child.pid}/task`).length
  const resident = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${app.child.pid}/status`, 'utf8'))![1]) * 1024
  const [threadsBefore, residentBefore] = [threads(), resident()]

  await control.arm('stalled', arming({ kind: 'stall', blockMs: 150, everyMs: 160 }, { direction: 'process' }))
  const slowest: number[] = []
  for (let i = 0; i < 4; i++) slowest.push((await received()).ms)
  expect(Math.max(...slowest)).toBeGreaterThan(60)
  expect((await control.disarm('stalled')).body.hit).toBeGreaterThan(0)

  await control.arm('hot', arming({ kind: 'burn', threads: 1 }, { direction: 'process' }))
  await control.arm('full', arming({ kind: 'memory', bytes: 96 * 2 ** 20 }, { direction: 'process' }))
  expect(threads()).toBeGreaterThanOrEqual(threadsBefore + 2)
  await expect.poll(resident, { timeout: 20_000 }).toBeGreaterThan(residentBefore + 80 * 2 ** 20)
  expect(await control.list()).toMatchObject([
    { id: 'hot', seen: 1, hit: 1 },
    { id: 'full', seen: 1, hit: 1 },
  ])
  await control.disarm('hot')
  await control.arm('full', arming({ kind: 'memory', bytes: 1 }, { direction: 'process' }, { leaseMs: 100 }))
  await expect.poll(threads, { timeout: 20_000 }).toBe(threadsBefore)
  await expect.poll(resident, { timeout: 20_000 }).toBeLessThan(residentBefore + 60 * 2 ** 20)
  const tooMuch = await control.arm('full', arming({ kind: 'memory', bytes: 2 ** 36 }, { direction: 'process' }))
  expect(tooMuch).toMatchObject({ status: 400, body: { error: expect.stringContaining('half of what is free') } })
})

test('a call without the key is refused, warned of once, and arms nothing', async () => {
  const stranger = runner(app.control!, 'a-key-of-32-characters-but-other')
  for (let i = 0; i < 3; i++)
    expect((await stranger.arm('x', arming({ kind: 'reset' }, { direction: 'inbound' }))).status).toBe(401)
  expect((await fetch(`${app.control}/faults`)).status).toBe(401)
  const call = { method: 'GET', path: '/faults', body: '' }
  const headers = { authorization: authorizationOf(call, controlKey) }
  expect((await fetch(`${app.control}/faults`, { headers })).status).toBe(200)
  const replayed = await fetch(`${app.control}/faults`, { headers })
  expect([replayed.status, await replayed.json()]).toEqual([
    401,
    { error: 'authorization: this very call has been made before' },
  ])
  expect(await control.list()).toEqual([])
  expect(app.warnings.slice(1)).toEqual([
    'fault control: refused a call from 127.0.0.1: authorization: signed with another key',
  ])
})

test('a malformed call is answered with the field that is wrong, and arms nothing', async () => {
  const good = arming({ kind: 'reset' }, { direction: 'inbound' })
  const bad = async (body: unknown, id = 'x') => {
    const reply = await control.call('PUT', `/faults/${id}`, body)
    return `${reply.status} ${reply.body.error}`
  }
  expect(await bad('{')).toBe('400 body: expected JSON, saw something else')
  expect(await bad([])).toBe('400 body: expected an object, saw a list of 0')
  expect(await bad({ ...good, percent: 101 })).toBe('400 percent: expected a number from 0 to 100, saw 101')
  expect(await bad({ ...good, leaseMs: 99 })).toBe('400 leaseMs: expected a number from 100 to 60000, saw 99')
  expect(await bad({ ...good, extra: 1 })).toMatch('400 extra: unknown field, expected ')
  expect(await bad({ ...good, effect: { kind: 'latency', delayMs: 5, jitterMs: 6 } })).toBe(
    '400 effect.jitterMs: expected a number from 0 to 5, saw 6',
  )
  expect(await bad({ ...good, match: { direction: 'inbound', peers: ['a:1'] } })).toMatch('400 match.peers: unknown')
  expect(await bad(good, 'a%20b')).toMatch('400 id: expected ')
  expect(await bad({ ...good, pad: 'x'.repeat(70_000) })).toBe('413 body: expected at most 65536 bytes')
  expect((await control.renew(['absent'], 1000)).status).toBe(404)
  expect((await control.call('POST', '/faults')).status).toBe(404)
  expect(await control.list()).toEqual([])
})

test('without a usable key nothing listens and one plain warning is given', async () => {
  const weak = await startApp({ CONTROL_KEY: 'short' })
  try {
    expect(weak.control).toBeUndefined()
    expect(weak.warnings).toEqual(['faults are off: SHAKETABLE_FAULTS_KEY needs at least 16 characters'])
    expect((await fetch(`${weak.url}/hello`)).status).toBe(200)
  } finally {
    await weak.stop()
  }
})

test('a taken control port is one warning and never a crash', async () => {
  const second = await startApp({ CONTROL_PORT: new URL(app.control!).port })
  try {
    expect(second.control).toBeUndefined()
    expect(second.warnings).toEqual([expect.stringMatching(/^fault control: cannot listen on .*EADDRINUSE.*off$/)])
    expect((await fetch(`${second.url}/hello`)).status).toBe(200)
  } finally {
    await second.stop()
  }
})

test('faults armed and replaced under load never show half of a change', async () => {
  const error = (status: number) => arming({ kind: 'error', status, body: String(status) }, { direction: 'inbound' })
  await control.arm('busy', error(500))
  let armed = true
  const changes = (async () => {
    for (let i = 0; i < 40; i++) await control.arm('busy', error(i % 2 ? 500 : 502))
    armed = false
  })()
  const outcomes: Outcome[] = []
  const load = Array.from({ length: 4 }, async () => {
    while (armed) outcomes.push(await received())
  })
  await Promise.all([changes, ...load])
  expect(outcomes.length).toBeGreaterThan(0)
  for (const outcome of outcomes) expect([500, 502].map(String)).toContain(outcome.body)
  for (const outcome of outcomes) expect(outcome.body).toBe(String(outcome.status))
})
