import { expect, test } from 'vitest'
import type { Clock } from '../world.ts'
import { type Ask, prometheusBreach, valuesOf } from './prometheus-guard.ts'

/** Time passes only by being slept through. */
function sleepyClock(): Clock {
  let now = 0
  return {
    now: () => now,
    wall: () => now,
    sleep: async ms => {
      now += ms
    },
  }
}

const condition = { url: 'http://prometheus:9090', query: 'errors', above: 0.1, below: undefined }
/** One answer after the other; an error is no answer. */
const answering = (...answers: (number[] | Error)[]): Ask => {
  const rest = [...answers]
  return async () => {
    const answer = rest.shift() ?? [0]
    if (answer instanceof Error) throw answer
    return answer
  }
}
const breachOf = (ask: Ask, of = {}) =>
  prometheusBreach({ ...condition, ...of }, sleepyClock(), new AbortController().signal, ask)

test('a value beyond the bound is a breach within a quarter of a second, in any of the series', async () => {
  expect(await breachOf(answering([0.1], [0, 0.05], [0, 0.2]))).toEqual({ at: 500, reason: 'errors is 0.2, over 0.1' })
  expect(await breachOf(answering([3], [1]), { above: undefined, below: 2 })).toEqual({
    at: 250,
    reason: 'errors is 1, under 2',
  })
})

test('no data is a breach at once, and no answer is one the second time in a row', async () => {
  expect((await breachOf(answering([0], [])))?.reason).toBe('Prometheus has no data for errors')
  const gone = new Error('fetch failed')
  expect(await breachOf(answering([0], gone, [0], gone, gone))).toEqual({
    at: 1000,
    reason: 'Prometheus does not answer errors: fetch failed',
  })
})

test('what ends otherwise is no breach', async () => {
  const ended = new AbortController()
  const ask: Ask = async () => {
    ended.abort()
    return [0]
  }
  expect(await prometheusBreach(condition, sleepyClock(), ended.signal, ask)).toBeUndefined()
})

test('scalars and vectors are read, NaN is no data, and a range is refused', () => {
  const answer = (resultType: string, result: unknown) =>
    ({ data: { resultType, result } }) as Parameters<typeof valuesOf>[0]
  expect(valuesOf(answer('scalar', [1, '0.5']))).toEqual([0.5])
  expect(valuesOf(answer('vector', [{ value: [1, '2'] }, { value: [1, 'NaN'] }, { value: [1, '+Inf'] }]))).toEqual([
    2,
    Number.POSITIVE_INFINITY,
  ])
  expect(() => valuesOf(answer('matrix', []))).toThrow('expected a number a series, saw a matrix')
})
