import { isDeepStrictEqual } from 'node:util'
import { jsonpath } from 'json-p3'
import type { Tolerance } from './model.ts'

/** Whether a probe's value is tolerated. */
export function tolerated(tolerance: Tolerance, value: unknown): boolean {
  switch (tolerance.type) {
    case 'equals':
      return isDeepStrictEqual(comparable(value), tolerance.value)
    case 'one-of':
      // Of an answer or a process it is the status, and [200, 299] are two of them; of a number they are its bounds.
      return isPair(tolerance.values) && typeof value === 'number'
        ? tolerance.values[0] <= value && value <= tolerance.values[1]
        : tolerance.values.some(each => isDeepStrictEqual(each, comparable(value)))
    case 'regex': {
      const text = aimedAt(value, tolerance.target)
      return (
        text !== undefined && new RegExp(tolerance.pattern).test(typeof text === 'string' ? text : JSON.stringify(text))
      )
    }
    case 'range': {
      const seen = aimedAt(value, tolerance.target)
      const number = typeof seen === 'string' && seen.trim() !== '' ? Number(seen) : seen
      return typeof number === 'number' && number >= tolerance.from && number <= tolerance.to
    }
    case 'jsonpath': {
      const seen = aimedAt(value, tolerance.target)
      const json = typeof seen === 'string' ? parsed(seen) : seen
      if (json === undefined || json === null || typeof json !== 'object') return false
      const found = jsonpath.query(tolerance.path, json as never).values() as unknown[]
      if (tolerance.count !== undefined && found.length !== tolerance.count) return false
      if (tolerance.expect !== undefined) return isDeepStrictEqual(found, tolerance.expect)
      return tolerance.count !== undefined || found.length > 0
    }
  }
}

/** The tolerance in words, for what is shown of a probe that failed. */
export function inWords(tolerance: Tolerance): string {
  switch (tolerance.type) {
    case 'equals':
      return JSON.stringify(tolerance.value)
    case 'one-of':
      return `one of ${JSON.stringify(tolerance.values)}`
    case 'regex':
      return `a match of /${tolerance.pattern}/`
    case 'range':
      return `from ${tolerance.from} to ${tolerance.to}`
    case 'jsonpath': {
      const { path, count, expect } = tolerance
      if (expect !== undefined) return `${JSON.stringify(expect)} at ${path}`
      return count === undefined ? `something at ${path}` : `${count} at ${path}`
    }
  }
}

interface Answer {
  status: number
  body?: unknown
  stdout?: string
}

function comparable(value: unknown): unknown {
  return isAnswer(value) ? value.status : value
}

const isAnswer = (value: unknown): value is Answer =>
  typeof value === 'object' && value !== null && 'status' in value && typeof value.status === 'number'

const isPair = (values: unknown[]): values is [number, number] =>
  values.length === 2 && values.every(each => typeof each === 'number')

/** What a pattern, a range or a path looks at: the part of the answer that is named, else all of it. */
function aimedAt(value: unknown, target: string | undefined): unknown {
  return target === undefined ? value : (value as Record<string, unknown> | null | undefined)?.[target]
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
