import fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkout, objectiveOf } from '../test/objective-of.ts'
import { burnRatePolicies, timeToFire } from './burn-rate.ts'
import { type AlertTransition, createBurnRateEvaluator } from './evaluator.ts'

const minute = 60_000
const objective = objectiveOf({ target: 0.999, indicator: checkout({ status: { below: 500 } }) })

/** Feeds steady traffic, one observation every `stepMs`, and returns the transitions. */
function feed(
  evaluator: ReturnType<typeof createBurnRateEvaluator>,
  phases: { forMs: number; errorRatio: number }[],
  { stepMs = 30_000, perStep = 10_000 } = {},
) {
  const seen: AlertTransition[] = []
  let [at, good, total] = [0, 0, 0]
  seen.push(...evaluator.observe(at, { good, total }))
  for (const phase of phases) {
    for (const end = at + phase.forMs; at < end; ) {
      at += stepMs
      total += perStep
      good += perStep * (1 - phase.errorRatio)
      seen.push(...evaluator.observe(at, { good, total }))
    }
  }
  return seen
}

test('a page fires when the formula says so, and ends when the short window is clean', () => {
  for (const errorRatio of [1, 0.5, 0.1, 0.05]) {
    const quiet = 3 * 24 * 60 * minute
    const seen = feed(createBurnRateEvaluator(objective, { windowScale: 1 }), [
      { forMs: quiet, errorRatio: 0 },
      { forMs: 30 * minute, errorRatio },
      { forMs: 10 * minute, errorRatio: 0 },
    ])
    const predicted = timeToFire(burnRatePolicies[0]!, objective, errorRatio)!
    const fired = seen.find(one => one.window === '5m/1h' && one.state === 'firing')!
    expect(fired).toMatchObject({ objective: 'checkout-latency', severity: 'page' })
    expect(fired.at - quiet - predicted).toBeGreaterThanOrEqual(0)
    expect(fired.at - quiet - predicted).toBeLessThanOrEqual(60_000)
    const resolved = seen.find(one => one.window === '5m/1h' && one.state === 'resolved')!
    expect(resolved.at - quiet - 30 * minute).toBeGreaterThan(0)
    expect(resolved.at - quiet - 30 * minute).toBeLessThanOrEqual(5 * minute)
  }
})

test('a scale divides the windows: what takes minutes takes a fraction of a second', () => {
  const seen = feed(
    createBurnRateEvaluator(objective, { windowScale: 600 }),
    [
      { forMs: 10_000, errorRatio: 0 },
      { forMs: 5000, errorRatio: 1 },
      { forMs: 5000, errorRatio: 0 },
    ],
    { stepMs: 50, perStep: 50 },
  )
  const page = seen.filter(one => one.window === '5m/1h')
  expect(page.map(one => one.state)).toEqual(['firing', 'resolved'])
  expect(page[0]!.at).toBeLessThanOrEqual(10_200)
  expect(page[1]!.at).toBeLessThanOrEqual(15_600)
})

test('errors under the threshold never alert', () => {
  const seen = feed(createBurnRateEvaluator(objective, { windowScale: 1 }), [
    { forMs: 4 * 24 * 60 * minute, errorRatio: 0.0009 },
  ])
  expect(seen).toEqual([])
})

test('a handful of failures among little traffic does not alert', () => {
  const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
  evaluator.observe(0, { good: 0, total: 0 })
  expect(evaluator.observe(minute, { good: 7, total: 11 })).toEqual([])
  expect(evaluator.burnRate(5 * minute)).toBeCloseTo(4 / 11 / 0.001)
  expect(evaluator.observe(2 * minute, { good: 7, total: 12 }).map(one => one.state)).toContain('firing')
  expect(evaluator.state()).toEqual({ page: true, ticket: true })
})

test('no traffic is no burn rate, and resolves what fired', () => {
  const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
  expect(evaluator.burnRate(minute)).toBeNull()
  evaluator.observe(0, { good: 0, total: 0 })
  evaluator.observe(minute, { good: 0, total: 100 })
  expect(evaluator.state().page).toBe(true)
  for (let at = 2; at < 8; at++) evaluator.observe(at * minute, { good: 0, total: 100 })
  expect(evaluator.burnRate(5 * minute)).toBeNull()
  expect(evaluator.observe(40 * minute, { good: 0, total: 100 }).map(one => one.window)).toEqual(['30m/6h'])
  expect(evaluator.state().page).toBe(false)
})

test('slices of time are good or bad as a whole, however much traffic they have, and alert without a minimum', () => {
  const sliced = { ...objective, slices: { windowMs: minute, target: 0.95 } }
  const evaluator = createBurnRateEvaluator(sliced, { windowScale: 1 })
  let [good, total] = [0, 0]
  const observe = (at: number, bad: number, of: number) => {
    total += of
    good += of - bad
    return evaluator.observe(at, { good, total })
  }
  observe(0, 0, 0)
  for (let at = 1; at <= 60; at++) observe(at * minute, 50, 1000)
  expect(evaluator.burnRate(60 * minute)).toBe(0)
  observe(60.5 * minute, 1, 2)
  expect(evaluator.burnRate(60 * minute)).toBe(0)
  // The slice is over: one of its three events was bad.
  expect(observe(61 * minute, 0, 1).map(({ window }) => window)).toContain('5m/1h')
  expect(evaluator.burnRate(5 * minute)).toBeCloseTo(1 / 5 / 0.001)
})

test('ratios of slices are averaged, and a slice without events is not counted', () => {
  const sliced = { ...objective, slices: { windowMs: minute, target: undefined } }
  const evaluator = createBurnRateEvaluator(sliced, { windowScale: 1 })
  evaluator.observe(0, { good: 0, total: 0 })
  evaluator.observe(minute, { good: 1000, total: 1000 })
  evaluator.observe(2 * minute, { good: 1000, total: 1000 })
  evaluator.observe(3 * minute, { good: 1001, total: 1002 })
  expect(evaluator.burnRate(5 * minute)).toBeCloseTo(0.25 / 0.001)
})

test('the conditions are those that are given', () => {
  const policies = [
    { severity: 'page', window: '5s/1m', shortWindowMs: 5000, longWindowMs: minute, budgetFraction: 0.02 },
  ] as const
  const evaluator = createBurnRateEvaluator({ ...objective, windowMs: 12 * 60 * minute }, { windowScale: 1, policies })
  evaluator.observe(0, { good: 0, total: 0 })
  const seen = evaluator.observe(1000, { good: 90, total: 100 })
  expect(seen).toMatchObject([{ severity: 'page', window: '5s/1m', state: 'firing' }])
})

test('an objective that no alert fits is evaluated over its own window, and not over all there was', () => {
  const hour = objectiveOf({ target: 0.9, windowMs: 60 * minute })
  const evaluator = createBurnRateEvaluator(hour, { windowScale: 1 })
  feed(evaluator, [
    { forMs: 30 * minute, errorRatio: 0.5 },
    { forMs: 30 * minute, errorRatio: 0 },
  ])
  expect(evaluator.burnRate(60 * minute)).toBeCloseTo(2.5)
  expect(evaluator.burnRate(20 * minute)).toBe(0)
})

test('an instance that starts anew counts from zero, and one that vanishes takes nothing back', () => {
  const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
  evaluator.observe(0, { a: { good: 100, total: 100 }, b: { good: 50, total: 50 } })
  evaluator.observe(minute, { a: { good: 100, total: 100 + 100 } })
  expect(evaluator.burnRate(minute)).toBeCloseTo(1 / 0.001)
  evaluator.observe(2 * minute, { a: { good: 300, total: 400 }, b: { good: 10, total: 10 } })
  expect(evaluator.burnRate(minute)).toBe(0)
  expect(evaluator.observe(1.5 * minute, { a: { good: 0, total: 9999 } })).toEqual([])
  expect(evaluator.burnRate(minute)).toBe(0)
})

test('whatever the counters do, the burn rate stays between nothing and everything', () => {
  const counters = fc.record({ total: fc.nat(1000), part: fc.double({ min: 0, max: 1, noNaN: true }) })
  const observation = fc.dictionary(fc.constantFrom('a', 'b', 'c'), counters, { maxKeys: 3 })
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(400_000), observation), { maxLength: 40 }), observations => {
      const evaluator = createBurnRateEvaluator(objective, { windowScale: 1 })
      const open = new Set<string>()
      let at = 0
      for (const [wait, instances] of observations) {
        at += wait
        const given = Object.fromEntries(
          Object.entries(instances).map(([id, { total, part }]) => [id, { total, good: Math.floor(total * part) }]),
        )
        for (const { window, state } of evaluator.observe(at, given)) {
          expect(open.has(window)).toBe(state === 'resolved')
          if (state === 'firing') open.add(window)
          else open.delete(window)
        }
        const burn = evaluator.burnRate(3_600_000)
        if (burn !== null) expect(burn >= 0 && burn <= 1000.001).toBe(true)
      }
    }),
  )
})
