import type { z } from 'zod'
import { suggestion } from './nearest.ts'

type RawIssue = z.core.$ZodRawIssue

/** A zod error that says what was expected and what was seen. */
export function expecting(what: string): (issue: { input?: unknown }) => string {
  return issue =>
    issue.input === undefined ? `is missing: expected ${what}` : `expected ${what}, saw ${seen(issue.input)}`
}

/** What stands in the file, in words: `the text "x"`, `the number 2`, `a list`. */
export function seen(value: unknown): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list'
  if (typeof value === 'object') return 'a mapping'
  if (typeof value === 'string') {
    return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}...` : value)
  }
  return typeof value === 'number' ? `the number ${value}` : String(value)
}

const nouns: Record<string, string> = {
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
}

/** Words for every zod issue whose schema has none of its own. One line an unknown key, in the order of `issue.keys`. */
export function wordsFor(issue: RawIssue): string | undefined {
  switch (issue.code) {
    case 'invalid_type':
      return expecting(nouns[issue.expected] ?? issue.expected)(issue)
    case 'invalid_value': {
      const known = issue.values.map(String)
      const what = `${known.length === 1 ? '' : 'one of '}${known.map(name => JSON.stringify(name)).join(', ')}`
      const words = expecting(what)(issue)
      const near = typeof issue.input === 'string' ? suggestion(issue.input, known) : ''
      return near.startsWith('did') && known.length > 1 ? `${words}; ${near}` : words
    }
    case 'too_small':
    case 'too_big':
      return limitWords(issue)
    case 'unrecognized_keys': {
      const known = knownFields(issue.inst)
      return issue.keys.map(key => `unknown field ${JSON.stringify(key)}; ${suggestion(key, known)}`).join('\n')
    }
    case 'invalid_key':
      return `${issue.issues[0]?.message ?? 'is not a name that fits here'}`
    default:
      return undefined
  }
}

function limitWords(issue: RawIssue & { code: 'too_small' | 'too_big' }): string {
  const limit = issue.code === 'too_small' ? issue.minimum : issue.maximum
  const least = issue.code === 'too_small'
  const exclusive = least ? 'more than' : 'less than'
  const word = issue.inclusive === false ? exclusive : least ? 'at least' : 'at most'
  switch (issue.origin) {
    case 'string':
      return least && limit === 1 ? 'expected text, saw none' : `expected ${word} ${limit} characters`
    case 'array': {
      const length = Array.isArray(issue.input) ? issue.input.length : 0
      return `expected ${word} ${limit} ${limit === 1 ? 'entry' : 'entries'}, saw ${length === 0 ? 'none' : length}`
    }
    default:
      return `expected ${word} ${limit}, saw ${seen(issue.input)}`
  }
}

/** The fields that may stand there; those that are only known in order to be refused are left out. */
function knownFields(inst: unknown): string[] {
  const shape = (inst as { _zod?: { def?: { shape?: Record<string, z.ZodType> } } })?._zod?.def?.shape ?? {}
  return Object.keys(shape).filter(name => !isRefused(shape[name]!))
}

function isRefused(schema: z.ZodType): boolean {
  const def = schema._zod.def as { type: string; innerType?: z.ZodType }
  return def.type === 'never' || (def.innerType !== undefined && isRefused(def.innerType))
}
