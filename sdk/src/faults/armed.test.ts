import { expect, test } from 'vitest'
import { ArmedFaults } from './armed.ts'
import type { Clock } from './clock.ts'
import type { ArmRequest } from './wire.ts'

/** Time passes when told to; timers may be late, as those of a stalled process are. */
function virtualClock() {
  let now = 0
  let timers: { at: number; run: () => void }[] = []
  const clock: Clock = {
    now: () => now,
    after(ms, run) {
      const timer = { at: now + ms, run }
      timers.push(timer)
      return () => {
        timers = timers.filter(one => one !== timer)
      }
    },
  }
  const stall = (ms: number) => {
    now += ms
  }
  const pass = (ms: number) => {
    const end = now + ms
    for (;;) {
      const next = timers.toSorted((a, b) => a.at - b.at)[0]
      if (next === undefined || next.at > end) break
      timers = timers.filter(one => one !== next)
      now = Math.max(now, next.at)
      next.run()
    }
    now = end
  }
  return { clock, pass, stall, timers: () => timers.length }
}

const hang: ArmRequest = {
  effect: { kind: 'hang' },
  match: { direction: 'inbound' },
  percent: 100,
  scope: 'attempt',
  seed: 1,
  leaseMs: 1000,
}

test('a fault without a renewal ends with its lease and lets go what it holds', () => {
  const { clock, pass, timers } = virtualClock()
  const armed = new ArmedFaults(clock)
  armed.arm('a', hang)
  let released = 0
  armed.inbound[0]!.onEnd(() => released++)
  pass(999)
  expect(armed.list()).toMatchObject([{ id: 'a', expiresInMs: 1 }])
  pass(1)
  expect([armed.inbound.length, released, timers()]).toEqual([0, 1, 0])
})

test('a renewal counts from when it came, and renews all that it names or none', () => {
  const { clock, pass } = virtualClock()
  const armed = new ArmedFaults(clock)
  armed.arm('a', hang)
  armed.arm('b', hang)
  pass(900)
  expect(armed.renew(['a', 'gone'], 5000)).toEqual({ missing: ['gone'] })
  expect(armed.renew(['a'], 5000)).toEqual({ missing: [] })
  pass(4999)
  expect(armed.list().map(fault => fault.id)).toEqual(['a'])
  pass(1)
  expect(armed.list()).toEqual([])
})

test('after a stall an overdue fault is gone before its timer fires, and cannot be renewed', () => {
  const { clock, stall } = virtualClock()
  const armed = new ArmedFaults(clock)
  armed.arm('a', hang)
  stall(5000)
  expect(armed.renew(['a'], 1000)).toEqual({ missing: ['a'] })
  expect(armed.inbound).toEqual([])
})

test('arming an id again ends the old fault and its lease', () => {
  const { clock, pass } = virtualClock()
  const armed = new ArmedFaults(clock)
  armed.arm('a', hang)
  const old = armed.inbound[0]!
  armed.arm('a', { ...hang, match: { direction: 'outbound' }, leaseMs: 3000 })
  expect([old.ended, armed.inbound.length, armed.outbound.length]).toEqual([true, 0, 1])
  pass(2999)
  expect(armed.list()).toMatchObject([{ id: 'a', expiresInMs: 1 }])
})

test('what was forgotten is not let go, and what comes after the end is let go at once', () => {
  const { clock } = virtualClock()
  const armed = new ArmedFaults(clock)
  armed.arm('a', hang)
  const fault = armed.inbound[0]!
  const released: string[] = []
  fault.onEnd(() => released.push('forgotten'))()
  armed.disarm('a')
  fault.onEnd(() => released.push('late'))
  expect(released).toEqual(['late'])
})
