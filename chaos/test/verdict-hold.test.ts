/** When an objective holds, and when it does not. */
import { describe, expect, test } from 'vitest'
import { begin, getStep, type MadeUp, madeUpRun, objectiveOf, ratePerSecond } from '../bench/made-up-run.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { available, during, failed, judge, judgedCount, phases, said } from './judged.ts'

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
    const quick = ['quick', 'as-quick'].map(name => objectiveOf(name, { good: { underSeconds: 1 } }))
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
    const quick = objectiveOf('quick', { good: { underSeconds: 0.5 } })
    const experiment = { objectives: [quick] }
    for (const answer of [{ latencyMs: 501 }, { latencyMs: 2000, status: 0, error: 'timeout', ok: false }]) {
      const { objectives } = judge({ experiment, answer: during(4000, 10_000, answer) })
      expect(objectives[0]).toMatchObject({ good: judgedCount - 6 * ratePerSecond, verdict: 'fail' })
    }
    expect(judge({ experiment, answer: during(4000, 10_000, { latencyMs: 500 }) }).verdict).toBe('pass')
  })

  test('spends of its budget what the errors are of those that 30 days at this rate allow', () => {
    const { budgetSpent } = judge({ answer: during(4000, 5000, failed) }).objectives[0]!
    expect(budgetSpent).toBeCloseTo(60 / (0.01 * ratePerSecond * 30 * 24 * 3600), 12)
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
  const routed = objectiveOf('routed', { route })
  const seen = madeUpRun({ experiment: { objectives: [routed] }, steps: [getStep(path)] })
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
  expect(reasons[0]).toBe('guard: too many were bad; every fault was undone 50 ms later')
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
  const observed = objectiveOf('observed')
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

test('an invariant that broke fails the run, with what it said', () => {
  const invariants = [{ name: 'books-balance', holds: false, detail: '3 charges without an order' }]
  expect(said({ seen: { invariants } })).toBe('fail; invariant books-balance: 3 charges without an order')
})
