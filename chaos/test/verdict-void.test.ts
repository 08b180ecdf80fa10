/** When a measurement proves nothing. */
import { describe, expect, test } from 'vitest'
import { type MadeUp, madeUpRun, objectiveOf } from '../bench/made-up-run.ts'
import type { TraceSpan } from '../src/observe/spans.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { available, during, failed, judge, phases, said, withCounters } from './judged.ts'

/** Judged by traces too, of which these spans came. */
const blamed = (spans: TraceSpan[] | undefined): MadeUp => ({
  expect: {
    observability: { blame: 'back', amplificationAtMost: undefined, abandonedAtMostMs: undefined, telemetry: [] },
  },
  seen: { traces: spans && { spans, keptShare: 1 } },
})

/** A request from outside, so long after the baseline began. */
const entryAt = (ms: number): TraceSpan => ({
  traceId: `${ms}`.padStart(32, '0'),
  spanId: '1',
  parentId: '',
  service: 'shop',
  instance: 'shop-1',
  name: 'GET',
  kind: 'server',
  start: phases.baseline.start + ms,
  end: phases.baseline.start + ms + 5,
  status: 200,
  error: false,
  errorType: undefined,
  peer: undefined,
  database: undefined,
  faultId: undefined,
})

describe('a run is void', () => {
  test.each<[string, MadeUp, RegExp]>([
    ['when it was ended early', { seen: { aborted: 'interrupted by SIGINT' } }, /ended early: interrupted by SIGINT$/],
    ['when the load was late', { health: { latenessP99Ms: 51 } }, /look was late: 51 ms .* over its 50 ms/],
    ['when arrivals were dropped', { health: { dropped: 3 } }, /dropped 3 of 1320 arrivals/],
    ['when a fault was never armed', { struck: { armedAt: undefined } }, /error-back was never armed/],
    ['when a fault hit nothing', { struck: { seen: 12, hit: 0 } }, /hit nothing: 12 requests matched/],
    ['when not all of 100 % were hit', { struck: { seen: 700, hit: 699 } }, /hit 699 of 700 .* 100 % asked for/],
    [
      'when far fewer requests were hit than asked for',
      { fault: { percent: 50 }, struck: { seen: 700, hit: 70 } },
      /hit 70 of 700 .* 50 % asked for/,
    ],
    [
      'when more attempts were hit than asked for',
      { fault: { percent: 50, scope: 'attempt' }, struck: { seen: 700, hit: 450 } },
      /hit 450 of 700/,
    ],
    ['when the baseline saw nothing', { seen: { samples: [] } }, /baseline saw no request that available counts/],
    [
      'when the steady state did not hold before the fault',
      { answer: during(0, 3000, failed) },
      /steady state did not hold before the fault: available at 25 %, target 99 %/,
    ],
    ['when the clock jumped', { seen: { clockJumpMs: 3_600_000 } }, /clock jumped by 3600 s/],
    ['when a page fired before the fault', { pages: [{ ms: 3000, objective: 'available' }] }, /fired before the fault/],
    ['when the counters cannot be read', { seen: withCounters(undefined) }, /counters behind available could not be/],
    [
      'when the service counted fewer requests',
      { seen: withCounters({ good: 1000, total: 1000 }) },
      /the service counted 1000 requests for available, and the client made 1080/,
    ],
    [
      'when the service counted more',
      { seen: withCounters({ good: 1130, total: 1130 }) },
      /counted 1130 .* client made 1080/,
    ],
    [
      'when both count the same requests and differ about good ones',
      { seen: withCounters({ good: 1000, total: 1080 }) },
      /counted 1000 good requests for available, and the client saw 1080/,
    ],
    ['when nobody listened for the traces that judge it', blamed(undefined), /nobody listened for the traces/],
    ['when no span came', blamed([]), /no span came from any service/],
    ['when only the baseline has traces', blamed([entryAt(100)]), /no request of the fault phase has a trace/],
    ['when only the fault phase has traces', blamed([entryAt(5000)]), /no request of the baseline phase has a trace/],
  ])('%s', (_, made, reason) => {
    const { verdict, reasons } = judge(made)
    expect(verdict).toBe('void')
    expect(reasons.join('; ')).toMatch(reason)
  })

  test('even where an objective failed', () => {
    expect(said({ answer: during(4000, 22_000, failed), struck: { hit: 0 } })).toMatch(/^void; /)
  })

  test.each([
    ['the lateness of a slow load is bounded by two of its intervals', 200, 10, 'pass'],
    ['and not beyond', 201, 10, 'void'],
  ])('%s', (_, latenessP99Ms, ratePerSecond, verdict) => {
    const seen = madeUpRun({ health: { latenessP99Ms } })
    seen.load[0]!.ratePerSecond = ratePerSecond
    expect(judgeExperiment(seen).verdict).toBe(verdict)
  })
})

describe('a run is not void', () => {
  test('when requests that were hit were tried again, and so hit more often than asked for', () => {
    expect(said({ fault: { percent: 50 }, struck: { seen: 700, hit: 525 } })).toBe('pass')
  })

  test('when requests were under way as the counters were read', () => {
    const answer = during(3800, 4000, { latencyMs: 300 })
    expect(said({ answer, seen: withCounters({ good: 1080 + 12 + 10, total: 1080 + 12 + 10 }) })).toBe('pass')
  })

  test('when one instance took with it what it had counted since it was read, and only then', () => {
    const died = { at: phases.fault.start + 5000, instance: 'shop-1', kind: 'exited' as const, detail: 'SIGKILL' }
    const lossy = (lost: number, instanceEvents = [died]): MadeUp => ({
      seen: { ...withCounters({ good: 1080 - lost, total: 1080 - lost, instanceLost: true }), instanceEvents },
    })
    expect(said(lossy(50))).toBe('pass')
    expect(said(lossy(100))).toMatch(/^void; the service counted 980/)
    expect(said(lossy(50, [{ ...died, instance: 'shop-other-1' }]))).toMatch(/^void; /)
  })

  test('when an objective that is only observed was bad before the fault, which is noted', () => {
    const observed = objectiveOf('observed', { good: { underSeconds: 0.001 } })
    const report = judge({ experiment: { objectives: [available, observed] }, expect: { hold: [available] } })
    expect(report).toMatchObject({ verdict: 'pass' })
    expect(report.timeline.filter(event => event.kind === 'note').map(event => event.text)).toEqual([
      'the steady state did not hold before the fault: observed at 0 %, target 99 %',
    ])
  })
})
