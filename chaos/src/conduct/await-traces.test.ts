import { expect, test } from 'vitest'
import type { TraceReceiver } from '../observe/trace-receiver.ts'
import { systemClock } from '../world.ts'
import { awaitTraces } from './await-traces.ts'

/** Time passes as it is slept. */
function sleeper() {
  let now = 0
  const sleep = async (ms: number) => {
    now += ms
  }
  return { ...systemClock, now: () => now, sleep }
}
const { signal } = new AbortController()

test('where no span comes, the run ends before any fault, and says where the services are to send them', async () => {
  const clock = sleeper()
  const receiver = { hasSpans: false, openUrl: 'http://10.0.0.7:4318/v1/traces' } as TraceReceiver
  await expect(awaitTraces(receiver, clock, signal)).rejects.toThrow(
    /^no span came to http:\/\/10\.0\.0\.7:4318\/v1\/traces within 20 s of load, so no fault was injected: .*TRACES_ENDPOINT/,
  )
})

test('a span that comes late is waited for', async () => {
  const clock = sleeper()
  const receiver = {
    get hasSpans() {
      return clock.now() > 15_000
    },
  } as TraceReceiver
  await awaitTraces(receiver, clock, signal)
  expect(clock.now()).toBeLessThan(16_000)
})
