import { expect, test } from 'vitest'
import { newTraceId } from './ids.ts'
import { samplerOf } from './sampler.ts'

const parent = (traceFlags: number) => ({ traceId: newTraceId(), spanId: '00f067aa0ba902b7', traceFlags })

test('a ratio takes about its share of new traces, and always the same ones', () => {
  const decide = samplerOf('traceidratio', 0.25)
  const ids = Array.from({ length: 4000 }, newTraceId)
  const taken = ids.filter(id => decide(id, undefined))
  expect(taken.length).toBeGreaterThan(800)
  expect(taken.length).toBeLessThan(1200)
  expect(taken.every(id => decide(id, undefined))).toBe(true)
})

test('a ratio of 0 takes none and a ratio of 1 takes all', () => {
  const ids = Array.from({ length: 500 }, newTraceId)
  expect(ids.some(id => samplerOf('traceidratio', 0)(id, undefined))).toBe(false)
  expect(ids.every(id => samplerOf('traceidratio', 1)(id, undefined))).toBe(true)
})

test('a parent-based sampler follows the parent', () => {
  expect(samplerOf('parentbased_always_off', 1)(newTraceId(), parent(1))).toBe(true)
  expect(samplerOf('parentbased_always_on', 1)(newTraceId(), parent(0))).toBe(false)
  expect(samplerOf('parentbased_always_on', 1)(newTraceId(), undefined)).toBe(true)
})

test('ids are well-formed, and do not repeat', () => {
  const ids = Array.from({ length: 10_000 }, newTraceId)
  expect(ids.every(id => /^[0-9a-f]{32}$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
})
