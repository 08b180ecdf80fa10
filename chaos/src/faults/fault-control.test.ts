import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ArmRequest } from '@shaketable/sdk/faults'
import { afterEach, expect, test } from 'vitest'
import type { Instance } from '../targets/target.ts'
import type { Clock } from '../world.ts'
import { FaultControl } from './fault-control.ts'

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(server => new Promise(done => server.close(done))))
})

/** Time passes only by being slept through. */
function sleepyClock(): Clock {
  let now = 0
  return {
    now: () => now,
    wall: () => now,
    sleep: async ms => {
      now += ms
    },
  }
}

const request: ArmRequest = {
  effect: { kind: 'reset' },
  match: { direction: 'inbound' },
  percent: 100,
  scope: 'request',
  seed: 1,
  leaseMs: 3000,
}

/** A service's fault control as `@shaketable/sdk/faults` describes it, with one fault whose counts the test sets. */
async function controlled() {
  const state = { armed: false, seen: 0, hit: 0, arms: 0, refuses: false }
  const server = createServer((incoming, response) => {
    const status = { id: 'f', seen: state.seen, hit: state.hit, expected: state.seen / 2, expiresInMs: 3000 }
    const answer = (code: number, body: unknown) => response.writeHead(code).end(JSON.stringify(body))
    if (state.refuses || !incoming.headers.authorization?.startsWith('Shaketable '))
      return answer(401, { error: 'no key' })
    if (incoming.method === 'PUT') {
      Object.assign(state, { armed: true, seen: 0, hit: 0, arms: state.arms + 1 })
      return answer(200, status)
    }
    if (!state.armed) return answer(incoming.method === 'GET' ? 200 : 404, { faults: [] })
    if (incoming.method === 'DELETE') {
      state.armed = false
      return answer(200, status)
    }
    return answer(200, { faults: [status] })
  })
  servers.push(server)
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const instance = { id: 'back-1', pid: 42, faultControl: { url, key: 'a-key-of-sixteen' } } as {
    -readonly [K in keyof Instance]: Instance[K]
  }
  return { state, instance }
}

test('a fault that a restarted instance has forgotten is armed again, and its strikes add up over both lives', async () => {
  const { state, instance } = await controlled()
  const control = new FaultControl(instance, 3000, sleepyClock())
  await control.arm('f', request)
  Object.assign(state, { seen: 10, hit: 4 })
  await control.renew('f', () => request)

  Object.assign(state, { armed: false, seen: 0, hit: 0 })
  await control.renew('f', () => request)
  expect(state).toMatchObject({ armed: true, arms: 2 })

  Object.assign(state, { seen: 3, hit: 2 })
  expect(await control.counts('f')).toEqual({ seen: 13, hit: 6, expected: 6.5 })
})

test('disarming reads the last counts and is done once', async () => {
  const { state, instance } = await controlled()
  const control = new FaultControl(instance, 3000, sleepyClock())
  await control.arm('f', request)
  Object.assign(state, { seen: 5, hit: 5 })
  await control.disarm('f')
  await control.disarm('f')
  await control.renew('f', () => request)
  expect(state).toMatchObject({ armed: false, arms: 1 })
  expect(await control.counts('f')).toEqual({ seen: 5, hit: 5, expected: 2.5 })
})

test('a fault whose process ended is gone', async () => {
  const { instance } = await controlled()
  const control = new FaultControl(instance, 3000, sleepyClock())
  await control.arm('f', request)
  instance.faultControl = { url: 'http://127.0.0.1:1', key: 'a-key-of-sixteen' }
  instance.pid = undefined
  await control.disarm('f')
})

test('a fault that nothing proves gone is reported with exit code 4, once its lease has run out', async () => {
  const { instance } = await controlled()
  const clock = sleepyClock()
  const control = new FaultControl(instance, 3000, clock)
  await control.arm('f', request)
  instance.faultControl = { url: 'http://127.0.0.1:1', key: 'a-key-of-sixteen' }
  await expect(control.disarm('f')).rejects.toMatchObject({
    code: 'SHAKETABLE_NOT_UNDONE',
    exitCode: 4,
    message: expect.stringContaining('back-1'),
  })
  expect(clock.now()).toBeGreaterThan(3000)
})

test('an instance that refuses says why', async () => {
  const { state, instance } = await controlled()
  state.refuses = true
  const control = new FaultControl(instance, 3000, sleepyClock())
  await expect(control.arm('f', request)).rejects.toThrow('back-1 refused to arm f: status 401, no key')
})

test('an instance without the SDK is told apart, with what to do', async () => {
  const { instance } = await controlled()
  instance.faultControl = undefined
  const control = new FaultControl(instance, 3000, sleepyClock())
  await expect(control.arm('f', request)).rejects.toMatchObject({ code: 'SHAKETABLE_NO_FAULT_CONTROL' })
})
