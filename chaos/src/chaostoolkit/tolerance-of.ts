import { jsonpath } from 'json-p3'
import type { Tolerance } from './model.ts'
import { asRfc9535 } from './toolkit-path.ts'

const named = ['regex', 'range', 'jsonpath'] as const

/** A tolerance as it stands in a file, its variables replaced; or what is wrong with it. */
export function toleranceOf(value: unknown): Tolerance | { wrong: string } {
  if (Array.isArray(value))
    return value.length > 0 ? { type: 'one-of', values: value } : { wrong: 'an empty list tolerates nothing' }
  if (typeof value !== 'object' || value === null) return { type: 'equals', value }
  const { type, target, ...rest } = value as Record<string, unknown>
  if (target !== undefined && typeof target !== 'string')
    return { wrong: 'the target has to be the name of a part of the answer' }
  if (type === 'probe') return { wrong: 'a probe as a tolerance is refused: it takes its value as a Python argument' }
  if (type === 'regex') return regexOf(rest.pattern, target)
  if (type === 'range') return rangeOf(rest.range, target)
  if (type === 'jsonpath') return jsonPathOf(rest, target)
  return { wrong: `expected a tolerance of type ${named.join(', ')}, saw ${JSON.stringify(type) ?? 'none'}` }
}

function regexOf(pattern: unknown, target: string | undefined): Tolerance | { wrong: string } {
  if (typeof pattern !== 'string') return { wrong: 'a regex needs its pattern' }
  // Python's inline flags and named groups have other forms here.
  if (/\(\?P[<=]|^\(\?[aiLmsux]+\)/.test(pattern)) return { wrong: `the pattern ${pattern} is Python's alone` }
  try {
    new RegExp(pattern)
  } catch (error) {
    return { wrong: (error as Error).message }
  }
  return { type: 'regex', pattern, target }
}

function rangeOf(range: unknown, target: string | undefined): Tolerance | { wrong: string } {
  if (!Array.isArray(range) || range.length !== 2 || range.some(each => typeof each !== 'number')) {
    return { wrong: 'a range is two numbers, [from, to]' }
  }
  const [from, to] = range as [number, number]
  return from <= to ? { type: 'range', from, to, target } : { wrong: `the range from ${from} to ${to} is empty` }
}

function jsonPathOf(rest: Record<string, unknown>, target: string | undefined): Tolerance | { wrong: string } {
  const { path, count, expect } = rest
  if (typeof path !== 'string' || path.trim() === '') return { wrong: 'a jsonpath needs its path' }
  if (count !== undefined && (!Number.isInteger(count) || (count as number) < 0))
    return { wrong: 'the count has to be a whole number' }
  const standard = asRfc9535(path.trim())
  if (standard === undefined) {
    return { wrong: `the filter of ${path} tests a whole list, not what is in it: write [*] before it` }
  }
  try {
    jsonpath.compile(standard)
  } catch (error) {
    return { wrong: `the path ${path} is none of RFC 9535: ${(error as Error).message}` }
  }
  return {
    type: 'jsonpath',
    path: standard,
    count: count as number | undefined,
    expect: 'expect' in rest ? [expect].flat() : undefined,
    target,
  }
}
