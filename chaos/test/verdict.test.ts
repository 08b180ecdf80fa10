/** Every way a run may end, judged from made-up observations. */
import type { Objective } from '@shaketable/slo'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Experiment, FaultSpec, Step } from '../src/experiment/model.ts'
import type { LoadHealth, LoadSample } from '../src/load/load.ts'
import { random } from '../src/random.ts'
import { suiteReport } from '../src/report/schema.ts'
import { comparedWith } from '../src/verdict/baseline.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import type { AlertTransition, Observations } from '../src/verdict/observations.ts'
import { concludeSuite } from '../src/verdict/suite.ts'

const place = { file: 'x.yaml', line: 1, column: 1 }
const perSecond = 60
/** Begins somewhere on the clock: reports count from the baseline. */
const begin = 50_000
const phases = {
  baseline: { start: begin, end: begin + 4000 },
  fault: { start: begin + 4000, end: begin + 16_000 },
  recovery: { start: begin + 16_000, end: begin + 22_000 },
}

function objective(name: string, good: { below?: number; underSeconds?: number } = { below: 500 }): Objective {
  return {
    name,
    title: name,
    description: undefined,
    service: 'shop',
    target: 0.99,
    windowMs: 30 * 24 * 3_600_000,
    indicator: {
      type: 'shaketable',
      selector: { signal: 'http-server', service: 'shop', method: 'GET', route: '/items/:id' },
      good: {
        status: good.below === undefined ? undefined : { below: good.below },
        underSeconds: good.underSeconds,
      },
    },
    labels: {},
    place,
  }
}

const step: Step = {
  request: { method: 'GET', to: 'shop', path: '/items/7?a=b', headers: {}, json: undefined },
  expect: { status: [200] },
  capture: {},
}
const available = objective('available')
const selector = { signal: 'http-server', service: 'shop', method: 'GET' }

const fault: FaultSpec = {
  id: 'error-back',
  kind: 'error',
  service: 'back',
  status: 503,
  body: undefined,
  percent: 100,
  scope: 'request',
  method: undefined,
  path: undefined,
  from: undefined,
  startMs: 0,
  durationMs: 12_000,
  place,
}

interface MadeUp {
  experiment?: Partial<Experiment>
  expect?: Partial<Experiment['expect']>
  /** What becomes of the request meant to start `ms` after the baseline's start; nothing: 200 after 5 ms. */
  answer?: (ms: number, index: number) => Partial<LoadSample> | undefined
  health?: Partial<LoadHealth>
  fault?: Partial<FaultSpec>
  struck?: { armedAt?: number | undefined; seen?: number; hit?: number }
  pages?: { ms: number; objective: string }[]
  seen?: Partial<Observations>
}

/** A run at 60 requests a second through 4 s, 12 s and 6 s, in which all went well but for what is asked. */
function run(made: MadeUp = {}): Observations {
  const journey = { name: 'look', setup: [], steps: [step], place }
  const objectives = made.experiment?.objectives ?? [available]
  const samples = Array.from({ length: 22 * perSecond }, (_, index): LoadSample => {
    const ms = (index * 1000) / perSecond
    const answer = { latencyMs: 5, status: 200, error: undefined, ...made.answer?.(ms, index) }
    return { at: begin + ms, journey: 'look', step: 0, ok: answer.status === 200, ...answer }
  })
  const judged = samples.filter(sample => sample.at >= phases.fault.start)
  const alert = (at: number, objective: string, state: AlertTransition['state']): AlertTransition => ({
    at,
    objective,
    severity: 'page',
    window: '5m/1h',
    state,
  })
  return {
    experiment: {
      name: 'made-up',
      title: 'Made up',
      system: {
        name: 'shop',
        services: [
          {
            name: 'shop',
            local: { command: [], replicas: 2, env: {}, graceMs: 1000, restartDelayMs: 0 },
            ready: '/',
            place,
          },
        ],
        journeys: [journey],
        invariants: [],
        dir: '/',
        place,
      },
      objectives,
      load: [{ journey, ratePerSecond: perSecond, timeoutMs: 2000 }],
      phases: { baselineMs: 4000, faultMs: 12_000, recoveryMs: 6000 },
      faults: [{ ...fault, ...made.fault } as FaultSpec],
      guard: undefined,
      alertWindowScale: 600,
      place,
      ...made.experiment,
      expect: {
        hold: objectives,
        atLeast: undefined,
        recoveryWithinMs: undefined,
        alerts: { none: false, fire: [] },
        ...made.expect,
      },
    },
    file: 'made-up.yaml',
    seed: 1,
    startedAtWall: Date.UTC(2026, 10, 21),
    phases,
    samples,
    load: [
      {
        journey: 'look',
        ratePerSecond: perSecond,
        health: {
          planned: samples.length,
          started: samples.length,
          latenessP99Ms: 1,
          latenessMaxMs: 2,
          dropped: 0,
          greatestInFlight: 4,
          ...made.health,
        },
      },
    ],
    faults: [
      {
        id: 'error-back',
        description: '503 on 100 % of requests to back',
        instances: ['back-1'],
        armedAt: phases.fault.start + 10,
        undoneAt: phases.fault.end,
        seen: 700,
        hit: 700,
        ...made.struck,
      },
    ],
    instanceEvents: [],
    alerts: (made.pages ?? []).flatMap(({ ms, objective }) => [
      alert(begin + ms, objective, 'firing'),
      alert(begin + ms + 3000, objective, 'resolved'),
    ]),
    counters: Object.fromEntries(
      objectives.map(({ name }) => [
        name,
        {
          good: judged.filter(sample => sample.status > 0 && sample.status < 500).length,
          total: judged.length,
          instanceLost: false,
        },
      ]),
    ),
    invariants: [],
    breach: undefined,
    aborted: undefined,
    ...made.seen,
  }
}

const during = (from: number, to: number, answer: Partial<LoadSample>) => (ms: number) =>
  ms >= from && ms < to ? answer : undefined
const failed: Partial<LoadSample> = { status: 503 }
const judge = (made?: MadeUp) => judgeExperiment(run(made))
/** The verdict and its reasons in one line. */
const said = (made?: MadeUp) => {
  const { verdict, reasons } = judge(made)
  return [verdict, ...reasons].join('; ')
}
const withCounters = (counted: { good: number; total: number; instanceLost?: boolean } | undefined) => ({
  counters: { available: counted && { instanceLost: false, ...counted } },
})
const judgedCount = 18 * perSecond

describe('an objective that is held', () => {
  test('passes where the whole interval is over its target', () => {
    const report = judge()
    expect(report).toMatchObject({ verdict: 'pass', reasons: [] })
    expect(report.objectives[0]).toMatchObject({ good: judgedCount, total: judgedCount, ratio: 1, budgetSpent: 0 })
    expect(report.objectives[0]?.interval[0]).toBeGreaterThan(0.99)
  })

  test('fails where the whole interval is under it, and says by how much', () => {
    expect(said({ answer: during(4000, 22_000, failed) })).toBe(
      'fail; available did not hold: 0 of 1080 good, 0 % (95 % interval 0 % to 0.35 %), under its target of 99 %',
    )
  })

  test('is inconclusive where the target is within', () => {
    const answer = (ms: number, index: number) => (ms >= 4000 && index % 100 === 0 ? failed : undefined)
    expect(said({ answer })).toMatch(/^inconclusive; available is inconclusive: 10\d\d of 1080 good/)
  })

  test('fails alone where among several it could be chance, and again where those have failed', () => {
    const answer = (ms: number, index: number) => (ms >= 4000 && index % 60 === 0 ? failed : undefined)
    const slow = (ms: number, index: number) => (ms >= 4000 ? { latencyMs: 1500, ...answer(ms, index) } : undefined)
    const quick = ['quick', 'as-quick'].map(name => objective(name, { underSeconds: 1 }))
    const experiment = { objectives: [available, ...quick] }
    expect(said({ answer })).toMatch(/^fail; available did not hold: 1062 of 1080 good/)
    expect(said({ answer, experiment })).toMatch(
      /^inconclusive; available is inconclusive: 1062 of 1080 good.*, under its target of 99 %, but not by enough for one of several objectives$/,
    )
    expect(judge({ answer: slow, experiment }).objectives.map(({ verdict }) => verdict)).toEqual(Array(3).fill('fail'))
  })

  test('is measured against atLeast where the experiment gives one', () => {
    const answer = during(5000, 5500, failed)
    expect(judge({ answer }).verdict).not.toBe('pass')
    const report = judge({ answer, expect: { atLeast: 0.8 } })
    expect(report.verdict).toBe('pass')
    expect(report.objectives[0]).toMatchObject({ target: 0.8, objectiveTarget: 0.99, total: judgedCount })
  })

  test('counts a slow answer and one that never came as bad, where it is about latency', () => {
    const quick = objective('quick', { underSeconds: 0.5 })
    const experiment = { objectives: [quick] }
    for (const answer of [{ latencyMs: 501 }, { latencyMs: 2000, status: 0, error: 'timeout', ok: false }]) {
      const { objectives } = judge({ experiment, answer: during(4000, 10_000, answer) })
      expect(objectives[0]).toMatchObject({ good: judgedCount - 6 * perSecond, verdict: 'fail' })
    }
    expect(judge({ experiment, answer: during(4000, 10_000, { latencyMs: 500 }) }).verdict).toBe('pass')
  })

  test('spends of its budget what the errors are of those that 30 days at this rate allow', () => {
    const { budgetSpent } = judge({ answer: during(4000, 5000, failed) }).objectives[0]!
    expect(budgetSpent).toBeCloseTo(60 / (0.01 * perSecond * 30 * 24 * 3600), 12)
  })
})

test.each([
  ['/items/:id', '/items/7?a=b', true],
  ['/items/{id}', '/items/7', true],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the load fills it in
  ['/items/7', '/items/${item}', true],
  ['/items/*', '/items/7/parts', true],
  ['/items/{id}/parts', '/items/7', false],
  ['/items/8', '/items/7', false],
  ['/items', '/items/7', false],
])('an objective of route %s counts requests of %s: %s', (route, path, counted) => {
  const routed = { ...available, indicator: { ...available.indicator, selector: { ...selector, route } } } as Objective
  const seen = run({ experiment: { objectives: [routed] } })
  seen.experiment.load[0]!.journey.steps = [{ ...step, request: { ...step.request, path } }]
  expect(judgeExperiment(seen).objectives[0]?.total).toBe(counted ? judgedCount : 0)
})

test('a run that its guard ended fails for that reason, however much of its plan was not carried out', () => {
  const seen = {
    phases: { ...phases, fault: { start: begin + 4000, end: begin + 5000 }, recovery: undefined },
    breach: { at: begin + 4950, reason: 'too many were bad' },
  }
  const struck = { armedAt: begin + 4010 }
  const made = { seen, struck, answer: during(4000, 22_000, failed) }
  const { verdict, reasons, timeline } = judge(made)
  expect(verdict).toBe('fail')
  expect(reasons[0]).toBe('guard: too many were bad; every fault was undone 11.05 s later')
  expect(timeline).toContainEqual({
    atMs: 4950,
    kind: 'note',
    subject: 'guard',
    text: 'the guard ended the run: too many were bad',
  })
  const doubtful = judge({ ...made, health: { dropped: 1 } })
  expect(doubtful.verdict).toBe('fail')
  expect(doubtful.reasons.at(-1)).toMatch(/^the load of look dropped 1 of/)
})

test('an objective that is only observed has a verdict, and the experiment does not', () => {
  const observed = objective('observed')
  const made: MadeUp = {
    experiment: { objectives: [available, observed] },
    expect: { hold: [] },
    answer: during(4000, 22_000, failed),
  }
  const report = judge(made)
  expect(report.objectives.map(each => [each.judged, each.verdict])).toEqual([
    [false, 'fail'],
    [false, 'fail'],
  ])
  expect(report.verdict).toBe('pass')
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
    const seen = run({ health: { latenessP99Ms } })
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
    const observed = objective('observed', { underSeconds: 0.001 })
    const report = judge({ experiment: { objectives: [available, observed] }, expect: { hold: [available] } })
    expect(report).toMatchObject({ verdict: 'pass' })
    expect(report.timeline.filter(event => event.kind === 'note').map(event => event.text)).toEqual([
      'the steady state did not hold before the fault: observed at 0 %, target 99 %',
    ])
  })
})

describe('alerts', () => {
  const none = { alerts: { none: true, fire: [] } }
  const fire = { hold: [], alerts: { none: false, fire: [available] } }
  const firing = (limits: { withinMs?: number; resolvedWithinMs?: number }) => ({
    hold: [],
    alerts: { ...fire.alerts, ...limits },
  })
  const other = objective('other')
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

test('an invariant that broke fails the run, with what it said', () => {
  const invariants = [{ name: 'books-balance', holds: false, detail: '3 charges without an order' }]
  expect(said({ seen: { invariants } })).toBe('fail; invariant books-balance: 3 charges without an order')
})

test('the first error counts from the fault, and not from before it', () => {
  const answer = (ms: number, index: number) => (index === 10 || (ms >= 6000 && ms < 6500) ? failed : undefined)
  expect(judge({ answer }).timeToFirstErrorMs).toBeCloseTo(2005, 0)
})

test('the report of a run is what the schema of reports says, its timeline in order', () => {
  const report = judge({ answer: during(4000, 6000, failed), pages: [{ ms: 5000, objective: 'available' }] })
  const suite = concludeSuite({ ...suiteOf([]), experiments: [report] })
  expect(suiteReport.safeParse(suite).error).toBeUndefined()
  expect(report.timeline.map(event => event.kind)).toEqual([
    'phase',
    'phase',
    'error',
    'fault',
    'alert',
    'alert',
    'phase',
    'fault',
    'recovery',
  ])
  expect(report.series).toHaveLength(44)
  expect(report.series[8]).toMatchObject({ atMs: 4000, requests: 30, errors: 30, p50Ms: 5 })
  expect(Object.values(report.series[8]?.burn ?? {})).toEqual([expect.closeTo(100)])
})

describe('whatever happens', () => {
  /** Errors anywhere in fault and recovery. */
  const bad = fc.uniqueArray(fc.integer({ min: 4 * perSecond, max: 22 * perSecond - 1 }), { maxLength: 300 })
  const answerOf = (indices: Iterable<number>) => {
    const set = new Set(indices)
    return (_: number, index: number) => (set.has(index) ? failed : undefined)
  }
  const rank = { fail: 0, void: 0, inconclusive: 1, pass: 2 }

  test('the order of the samples does not matter', () => {
    fc.assert(
      fc.property(bad, fc.integer(), (indices, seed) => {
        const seen = run({ answer: answerOf(indices), expect: { recoveryWithinMs: 5000 } })
        const next = random(seed)
        const shuffled = seen.samples
          .map(sample => ({ sample, key: next() }))
          .sort((a, b) => a.key - b.key)
          .map(each => each.sample)
        expect(judgeExperiment({ ...seen, samples: shuffled })).toEqual(judgeExperiment(seen))
      }),
      { numRuns: 30 },
    )
  })

  test('what failed never passes for more errors, and nothing passes with a ratio under its target', () => {
    fc.assert(
      fc.property(bad, bad, (some, more) => {
        const [better, worse] = [judge({ answer: answerOf(some) }), judge({ answer: answerOf([...some, ...more]) })]
        expect(worse.objectives[0]!.ratio).toBeLessThanOrEqual(better.objectives[0]!.ratio)
        if (better.verdict === 'fail') expect(worse.verdict).not.toBe('pass')
        for (const { objectives, verdict } of [better, worse]) {
          if (verdict === 'pass') expect(objectives[0]!.ratio).toBeGreaterThanOrEqual(0.99)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('more errors, spread evenly, never better a verdict', () => {
    fc.assert(
      fc.property(fc.nat(200), fc.nat(200), (one, other) => {
        const spread = (count: number) =>
          Array.from({ length: count }, (_, index) => 4 * perSecond + Math.floor((index * judgedCount) / count))
        const [fewer, more] = [one, other].sort((a, b) => a - b) as [number, number]
        const [better, worse] = [judge({ answer: answerOf(spread(fewer)) }), judge({ answer: answerOf(spread(more)) })]
        expect(rank[worse.verdict]).toBeLessThanOrEqual(rank[better.verdict])
      }),
      { numRuns: 60 },
    )
  })
})

const suiteOf = (verdicts: ('pass' | 'fail' | 'inconclusive' | 'void')[], notUndone: string[] = []) => ({
  version: '0.1.0',
  experiments: verdicts.map(verdict => ({ ...judge(), verdict })),
  startedAtWall: 0,
  durationMs: 1,
  seed: 1,
  system: 'shop',
  env: {},
  notUndone,
})

test.each([
  [['pass', 'pass'], [], 'pass', 0],
  [['pass', 'inconclusive'], [], 'inconclusive', 3],
  [['inconclusive', 'void'], [], 'void', 5],
  [['void', 'fail', 'pass'], [], 'fail', 1],
  [['pass'], ['error-back: connection refused'], 'pass', 4],
  [['fail'], ['error-back: connection refused'], 'fail', 4],
  [[], [], 'void', 5],
] as const)('a suite of %o, not undone %o, is %s and exits %d', (verdicts, notUndone, verdict, code) => {
  expect(concludeSuite(suiteOf([...verdicts], [...notUndone]))).toMatchObject({ verdict, exitCode: code })
})

describe('against an earlier report', () => {
  const next = random(3)
  /** Latencies that scatter, around so many ms. */
  const around =
    (ms: number, failing = 0) =>
    (): Partial<LoadSample> => ({
      latencyMs: ms * (0.5 + next()),
      ...(next() < failing ? failed : {}),
    })
  const of = (ms: number, failing?: number) => judge({ answer: around(ms, failing), expect: { atLeast: 0.5 } })
  const compared = (now: ReturnType<typeof of>, then: ReturnType<typeof of>) => {
    const { verdict, expectations, reasons } = comparedWith(now, then, 'last.json')
    return { ...expectations.find(({ name }) => name.endsWith('last.json'))!, verdict, reasons }
  }

  test('the same again is no regression, forty times', () => {
    const verdicts = Array.from({ length: 40 }, () => comparedWith(of(20), of(20), 'last.json').verdict)
    expect(verdicts.filter(verdict => verdict !== 'pass')).toEqual([])
  })

  test('half as slow again is one, told with the least that it is surely slower by', () => {
    const { verdict, detail, reasons } = compared(of(30), of(20))
    expect(verdict).toBe('fail')
    expect(detail).toMatch(/p50 of look in the baseline phase: [\d.]+ ms, before [\d.]+ ms, surely [\d.]+ ms more/)
    expect(reasons).toEqual([`no regression against last.json: ${detail}`])
  })

  test('so is a higher share of failed requests, and getting better is none', () => {
    expect(compared(of(20, 0.1), of(20, 0)).detail).toMatch(/failed requests of look in the fault phase: /)
    expect(compared(of(10), of(20)).verdict).toBe('pass')
  })

  test('one that knew nothing of it is said to, and a void run is not compared', () => {
    expect(comparedWith(of(20), undefined, 'last.json').expectations.at(-1)?.detail).toMatch(
      /nothing of this experiment/,
    )
    const unsound = judge({ health: { dropped: 3 } })
    expect(comparedWith(unsound, of(20), 'last.json')).toBe(unsound)
  })
})

test('the effect of the fault is told against the baseline, with intervals', () => {
  const next = random(5)
  const answer = (ms: number) => ({ latencyMs: (ms >= 4000 && ms < 16_000 ? 60 : 20) * (0.5 + next()) })
  const [effect] = judge({ answer }).effects
  expect(effect?.p50Ms).toBeCloseTo(40, -1)
  expect(effect?.p50Interval[0]).toBeGreaterThan(20)
  expect(effect?.slower).toBeGreaterThan(0.9)
  expect(effect).toMatchObject({ failedRatio: 0 })
})
