import { expect, test } from 'vitest'
import { type Handler, heldAnswer } from './held-answer.ts'

/** The callbacks of undici before version 7 (Node 22), and a hold that the test lets go. */
function oldHandler() {
  const calls: string[] = []
  const handler = {
    onConnect: () => void calls.push('connect'),
    onHeaders: (status: number) => calls.push(`headers ${status}`) > 0,
    onData: () => calls.push('data') > 0,
    onComplete: () => void calls.push('complete'),
    onError: () => void calls.push('error'),
  }
  let release = () => {}
  let cancelled = false
  const timers: (() => void)[] = []
  const held = heldAnswer(handler as unknown as Handler, {
    wait(run) {
      release = run
      return () => {
        cancelled = true
      }
    },
    headersTimeoutMs: 50,
    after(_ms, run) {
      timers.push(run)
      return () => {}
    },
  }) as unknown as { [K in keyof typeof handler]: (...args: unknown[]) => unknown }
  return { calls, held, timers, release: () => release(), cancelled: () => cancelled }
}

test('the head of an answer is held, the connection paused, and everything arrives in order', () => {
  const { calls, held, release } = oldHandler()
  let resumed = 0
  held.onConnect(() => {})
  expect(held.onHeaders(103, [], () => {}, '')).toBe(true)
  expect(held.onHeaders(200, [], () => resumed++, 'OK')).toBe(false)
  held.onComplete([])
  expect(calls).toEqual(['connect', 'headers 103'])
  release()
  expect(calls).toEqual(['connect', 'headers 103', 'headers 200', 'complete'])
  expect(resumed).toBe(1)
})

test('an abort ends the wait, and the held answer never arrives', () => {
  const { calls, held, cancelled } = oldHandler()
  held.onConnect(() => {})
  held.onHeaders(200, [], () => {}, 'OK')
  held.onError(new Error('aborted'))
  expect(calls).toEqual(['connect', 'error'])
  expect(cancelled()).toBe(true)
})

test("the caller's limit for the head of an answer goes on counting", () => {
  const { held, timers } = oldHandler()
  let reason: { code?: string } = {}
  held.onConnect((error: { code: string }) => {
    reason = error
  })
  held.onHeaders(200, [], () => {}, 'OK')
  timers[0]?.()
  expect(reason.code).toBe('UND_ERR_HEADERS_TIMEOUT')
})
