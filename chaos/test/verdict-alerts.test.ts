/** What pages must and must not do. */
import { describe, expect, test } from 'vitest'
import { type MadeUp, objectiveOf } from '../bench/made-up-run.ts'
import { available, during, failed, judge, withCounters } from './judged.ts'

describe('alerts', () => {
  const none = { alerts: { none: true, fire: [] } }
  const fire = { hold: [], alerts: { none: false, fire: [available] } }
  const firing = (limits: { withinMs?: number; resolvedWithinMs?: number }) => ({
    hold: [],
    alerts: { ...fire.alerts, ...limits },
  })
  const other = objectiveOf('other')
  const two = { objectives: [available, other] }
  const page = (ms: number, name = 'available') => ({ pages: [{ ms, objective: name }] })

  test.each<[string, MadeUp, string]>([
    ['none is met by silence', { expect: none }, 'pass'],
    ['none is broken by a page', { expect: none, ...page(6000) }, 'fail'],
    [
      'none is not proven without counters',
      { expect: { hold: [], ...none }, seen: withCounters(undefined) },
      'inconclusive',
    ],
    ['a page is wanted and fired', { expect: fire, ...page(6000) }, 'pass'],
    ['a page is wanted and did not', { expect: fire }, 'fail'],
    ['a page is wanted and could not', { expect: fire, seen: withCounters(undefined) }, 'inconclusive'],
    [
      'another page fired',
      {
        experiment: two,
        expect: fire,
        pages: [
          { ms: 6000, objective: 'available' },
          { ms: 7000, objective: 'other' },
        ],
      },
      'fail',
    ],
    ['a page came in time', { expect: firing({ withinMs: 3000 }), ...page(6000) }, 'pass'],
    ['a page came too late', { expect: firing({ withinMs: 1000 }), ...page(6000) }, 'fail'],
    ['a page was over in time', { expect: firing({ resolvedWithinMs: 1000 }), ...page(13_900) }, 'pass'],
    ['a page lasted too long', { expect: firing({ resolvedWithinMs: 1000 }), ...page(15_000) }, 'fail'],
    [
      'an engine could not be asked',
      { expect: fire, ...page(6000), seen: { alertEngine: 'prometheus', alertTrouble: 'it could not be asked' } },
      'void',
    ],
    [
      'an engine says that a page fired, which needs no counters',
      { expect: fire, ...page(6000), seen: { ...withCounters(undefined), alertEngine: 'alertmanager' } },
      'pass',
    ],
    ['a page that fired before the fault is not the fault’s', { expect: fire, ...page(2000) }, 'void'],
  ])('%s', (_, made, verdict) => {
    expect(judge(made).verdict).toBe(verdict)
  })

  test('the time to detect stands beside what the formula says of the error ratio that was seen', () => {
    // All fail: the windows of 6 s and of 36 s hold 4 s of good ones, so that over 6 % of the longer is bad after 255 ms.
    const all = judge({ answer: during(4000, 16_000, failed), expect: fire, ...page(5000) })
    expect([all.timeToDetectMs, Math.round(all.timeToDetectPredictedMs!)]).toEqual([1000, 255])
    // An engine's windows were full before, and are not scaled: 14.4 % of an hour.
    const engine = { answer: during(4000, 16_000, failed), expect: fire, seen: { alertEngine: 'prometheus' as const } }
    expect(Math.round(judge(engine).timeToDetectPredictedMs! / 1000)).toBe(518)
    expect(judge({ expect: fire }).timeToDetectPredictedMs).toBeNull()
  })

  test('detection is the first page after the fault began, of an objective that had not fired before', () => {
    expect(judge(page(5500)).timeToDetectMs).toBe(1500)
    expect(judge().timeToDetectMs).toBeNull()
    const early = judge({
      pages: [
        { ms: 3000, objective: 'available' },
        { ms: 5000, objective: 'available' },
      ],
    })
    expect(early.timeToDetectMs).toBeNull()
  })
})
