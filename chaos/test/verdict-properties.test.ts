/** What is so of every verdict. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { madeUpRun, ratePerSecond } from '../bench/made-up-run.ts'
import { random } from '../src/random.ts'
import { judgeExperiment } from '../src/verdict/judge.ts'
import { failed, judge, judgedCount } from './judged.ts'

describe('whatever happens', () => {
  /** Errors anywhere in fault and recovery. */
  const bad = fc.uniqueArray(fc.integer({ min: 4 * ratePerSecond, max: 22 * ratePerSecond - 1 }), { maxLength: 300 })
  const answerOf = (indices: Iterable<number>) => {
    const set = new Set(indices)
    return (_: number, index: number) => (set.has(index) ? failed : undefined)
  }
  const rank = { fail: 0, void: 0, inconclusive: 1, pass: 2 }

  test('the order of the samples does not matter', () => {
    fc.assert(
      fc.property(bad, fc.integer(), (indices, seed) => {
        const seen = madeUpRun({ answer: answerOf(indices), expect: { recoveryWithinMs: 5000 } })
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
          Array.from({ length: count }, (_, index) => 4 * ratePerSecond + Math.floor((index * judgedCount) / count))
        const [fewer, more] = [one, other].sort((a, b) => a - b) as [number, number]
        const [better, worse] = [judge({ answer: answerOf(spread(fewer)) }), judge({ answer: answerOf(spread(more)) })]
        expect(rank[worse.verdict]).toBeLessThanOrEqual(rank[better.verdict])
      }),
      { numRuns: 60 },
    )
  })
})
