/** How a system comes out of a fault. */
import { describe, expect, test } from 'vitest'
import type { MadeUp } from '../bench/made-up-run.ts'
import { during, failed, judge } from './judged.ts'

describe('recovery', () => {
  const within = (ms: number) => ({ recoveryWithinMs: ms })
  const recovery = (made: MadeUp) => {
    const { expectations, timeToRecoverMs, timeline } = judge(made)
    const event = timeline.find(each => each.kind === 'recovery')
    return { verdict: expectations[0]?.verdict, timeToRecoverMs, eventMs: event?.atMs }
  }

  test('at once is 0 ms, and stands in the timeline', () => {
    expect(recovery({ expect: within(5000) })).toEqual({ verdict: 'pass', timeToRecoverMs: 0, eventMs: 16_000 })
  })

  test('counts from the end of the fault to the first of four good windows', () => {
    const answer = during(4000, 18_200, failed)
    expect(recovery({ answer, expect: within(5000) })).toEqual({
      verdict: 'pass',
      timeToRecoverMs: 2500,
      eventMs: 18_500,
    })
    expect(recovery({ answer, expect: within(2000) }).verdict).toBe('fail')
  })

  test('fails where bad windows go on for longer than allowed', () => {
    expect(recovery({ answer: during(4000, 21_900, failed), expect: within(5000) })).toMatchObject({
      verdict: 'fail',
      timeToRecoverMs: null,
    })
  })

  test('is inconclusive where the phase ends before it can be told', () => {
    const { verdict, timeToRecoverMs } = recovery({ answer: during(4000, 20_400, failed), expect: within(5000) })
    expect({ verdict, timeToRecoverMs }).toEqual({ verdict: 'inconclusive', timeToRecoverMs: null })
  })

  test('forgives one bad request in a window, and no second one', () => {
    const one = (ms: number, index: number) => (ms >= 16_000 && index % 30 === 0 ? failed : undefined)
    expect(recovery({ answer: one, expect: within(5000) }).timeToRecoverMs).toBe(0)
    const two = (ms: number, index: number) => (ms >= 16_000 && index % 15 === 0 ? failed : undefined)
    expect(recovery({ answer: two, expect: within(5000) }).timeToRecoverMs).toBeNull()
  })
})

test('the first error counts from the fault, and not from before it', () => {
  const answer = (ms: number, index: number) => (index === 10 || (ms >= 6000 && ms < 6500) ? failed : undefined)
  expect(judge({ answer }).timeToFirstErrorMs).toBeCloseTo(2005, 0)
})

describe('what the fault left behind', () => {
  const aftermath = (made: MadeUp) => judge(made).aftermath
  const gone = { at: 60_000, instance: 'shop-1', kind: 'exited' as const, detail: 'SIGKILL' }
  /** Every third request is bad and slow from the fault on, to the end. */
  const stuck = (ms: number, index: number) =>
    ms >= 4000 && index % 3 === 0 ? { ...failed, latencyMs: 900 } : ms >= 4000 ? { latencyMs: 400 } : undefined

  test('is nothing where the steady state came back', () => {
    expect(aftermath({ answer: during(4000, 16_500, failed) })).toEqual({
      state: 'recovered',
      text: 'the steady state was back after 500 ms',
    })
    expect(aftermath({ fault: null })).toBeNull()
  })

  test('is a metastable system where all is as before, and it stays bad', () => {
    expect(aftermath({ answer: stuck })).toEqual({
      state: 'metastable',
      text: 'metastable: the fault is undone, every instance is up and the load is still 60/s, and yet 33.33 % of the requests were bad in the last 3 s of the recovery phase (baseline 0 %), at a median of 400 ms (baseline 5 ms). It does not come back by itself: take load off it, or restart what retries',
    })
    const { reasons, notes } = judge({ answer: stuck, expect: { recoveryWithinMs: 5000 } })
    expect(reasons.at(-1)).toMatch(/^recovery within 5 s: not recovered within the 6 s .*; metastable: /)
    expect(notes).toEqual([])
    expect(judge({ answer: stuck }).notes).toEqual([expect.stringMatching(/^metastable: /)])
  })

  test('is a backlog where it gets better, although not in time', () => {
    const answer = (ms: number, index: number) =>
      (ms >= 4000 && ms < 19_000) || (ms >= 19_000 && index % 10 === 0) ? failed : undefined
    expect(aftermath({ answer })).toMatchObject({
      state: 'clearing',
      text: expect.stringMatching(/^still clearing up: 100 % .* first half .* 10 % in the second/),
    })
  })

  test('is an instance that has not come back, if there is one', () => {
    expect(aftermath({ answer: stuck, seen: { instanceEvents: [gone] } })).toEqual({
      state: 'down',
      text: 'shop-1 had not come back by the end of the run',
    })
    const back = { ...gone, at: 61_000, kind: 'ready' as const, detail: '' }
    expect(aftermath({ answer: stuck, seen: { instanceEvents: [gone, back] } })?.state).toBe('metastable')
  })

  test('is a slow system where the objectives hold, and the latency is not back', () => {
    const slow = aftermath({ answer: ms => (ms >= 4000 ? { latencyMs: 40 } : undefined) })
    expect(slow).toEqual({
      state: 'slower',
      text: 'the steady state is back, but not the latency: a median of 40 ms (baseline 5 ms) in the last 3 s of the recovery phase',
    })
  })
})
