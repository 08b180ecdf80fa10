import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  visit,
  type YAMLMap,
} from 'yaml'
import { z } from 'zod'
import type { Place, Problem } from './error.ts'
import { wordsFor } from './yaml-issues.ts'

type ParsedDocument = ReturnType<typeof parseAllDocuments>[number]

export type Path = readonly PropertyKey[]

/** Text of this many characters is no configuration file. */
const greatestLength = 256 * 1024
const mostDocuments = 1000
const greatestDepth = 64
const mostWarnings = 10
/** Each is looked for in the whole document, so that many of them take quadratic time. */
const mostAliases = 100

/** One YAML document of a file: its plain value, and where each part of it stands. */
export class SourceDocument {
  readonly file: string
  readonly value: unknown
  readonly #locate: (path: Path, part: 'key' | 'value') => Place
  readonly #base: Path

  constructor(file: string, value: unknown, locate: (path: Path, part: 'key' | 'value') => Place, base: Path = []) {
    this.file = file
    this.value = value
    this.#locate = locate
    this.#base = base
  }

  /** Where the value at `path` stands, or its key. For what is not there: the nearest part that is. */
  place(path: Path = [], part: 'key' | 'value' = 'value'): Place {
    return this.#locate([...this.#base, ...path], part)
  }

  /** A problem with the value at `path`, its message led by the path in words. */
  problem(path: Path, message: string, hint?: string): Problem {
    return {
      ...this.place(path),
      message: label([...this.#base, ...path], message),
      ...(hint === undefined ? {} : { hint }),
    }
  }

  /** A part of this document as one of its own. */
  part(path: Path): SourceDocument {
    let value = this.value as Record<PropertyKey, unknown> | undefined
    for (const key of path) value = value?.[key] as typeof value
    return new SourceDocument(this.file, value, this.#locate, [...this.#base, ...path])
  }

  /** The value as the schema types it; or `undefined`, and each thing wrong with it among `problems`. */
  read<S extends z.ZodType>(schema: S, problems: Problem[]): z.output<S> | undefined {
    const result = schema.safeParse(this.value, { error: wordsFor, reportInput: true })
    if (result.success) return result.data
    const found = result.error.issues.flatMap(issue => this.#problemsOf(issue, []))
    // A misspelt field that is required is one mistake, not two.
    const meant = found.flatMap(({ message }) => {
      const typo = /^(?:(.*): )?unknown field .* did you mean "(.*)"\?$/.exec(message)
      return typo ? [`${typo[1] === undefined ? '' : `${typo[1]}.`}${typo[2]} is missing`] : []
    })
    problems.push(...found.filter(({ message }) => !meant.some(each => message.startsWith(each))))
    return undefined
  }

  #problemsOf(issue: z.core.$ZodIssue, prefix: Path): Problem[] {
    const path = [...prefix, ...issue.path]
    switch (issue.code) {
      case 'unrecognized_keys': {
        const words = issue.message.split('\n')
        return issue.keys.map((key, index) => ({
          ...this.place([...path, key], 'key'),
          message: label([...this.#base, ...path], words[index] ?? `unknown field ${JSON.stringify(key)}`),
        }))
      }
      case 'invalid_union': {
        // The branch that got furthest is the one that was meant.
        const branch = issue.errors.toSorted((a, b) => depth(b) - depth(a) || a.length - b.length)[0]
        if (branch && depth(branch) > 0) return branch.flatMap(each => this.#problemsOf(each, path))
        return [this.problem(path, issue.message)]
      }
      case 'invalid_key':
        return [{ ...this.place(path, 'key'), message: label([...this.#base, ...path], issue.message) }]
      case 'invalid_type': {
        if (issue.expected === 'never')
          return [{ ...this.place(path, 'key'), message: label([...this.#base, ...path], issue.message) }]
        if (issue.input !== undefined) break
        // Something is missing: what it is missing from has a place.
        return [{ ...this.place(path.slice(0, -1), 'key'), message: label([...this.#base, ...path], issue.message) }]
      }
    }
    return [this.problem(path, issue.message)]
  }
}

function depth(issues: z.core.$ZodIssue[]): number {
  return Math.max(0, ...issues.map(issue => issue.path.length + (issue.code === 'unrecognized_keys' ? 1 : 0)))
}

/** `spec.faults[0].latency: expected …` */
function label(path: Path, message: string): string {
  let words = ''
  for (const key of path) words += typeof key === 'number' ? `[${key}]` : `${words && '.'}${String(key)}`
  if (words === '') return message
  return message.startsWith('is ') ? `${words} ${message}` : `${words}: ${message}`
}

/** A field that is known and must not stand there, with the true reason: `is not supported yet: …`. */
export function refused(reason: string) {
  return z.never({ error: `is ${reason}` }).optional()
}

/**
 * Reads YAML strictly: no duplicate keys, no keys that are not text, no unknown tags, no bombs. Every document that can
 * be read comes back, and each thing wrong with the others is added to `problems`. Pure and never throws.
 */
export function parseDocuments(text: string, file: string, problems: Problem[]): SourceDocument[] {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text
  const start = { file, line: 1, column: 1 }
  if (source.length > greatestLength) {
    problems.push({ ...start, message: `the file is too long: ${source.length} characters, at most ${greatestLength}` })
    return []
  }
  const lines = new LineCounter()
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(Math.max(0, offset))
    return { file, line: Math.max(1, line), column: Math.max(1, col) }
  }
  const strange = source.search(/[\0\uFFFD]/)
  if (strange >= 0) {
    const before = source.slice(0, strange).split('\n')
    const place = { file, line: before.length, column: before.at(-1)!.length + 1 }
    problems.push({ ...place, message: 'the file is not UTF-8 text' })
    return []
  }
  const tooDeep = bracketsTooDeep(source)
  if (tooDeep) {
    problems.push({ file, ...tooDeep, message: `nested more than ${greatestDepth} levels deep` })
    return []
  }

  let parsed: ReturnType<typeof parseAllDocuments>
  try {
    parsed = parseAllDocuments(source, {
      lineCounter: lines,
      prettyErrors: false,
      stringKeys: true,
      // Checked below in linear time.
      uniqueKeys: false,
      resolveKnownTags: false,
      logLevel: 'silent',
    })
  } catch (error) {
    problems.push({ ...start, message: `not valid YAML: ${words(error)}` })
    return []
  }
  if (!Array.isArray(parsed) || parsed.every(each => each.errors.length === 0 && isEmpty(each.contents))) {
    problems.push({ ...start, message: 'the file is empty' })
    return []
  }
  if (parsed.length > mostDocuments) {
    problems.push({ ...start, message: `the file holds ${parsed.length} documents, at most ${mostDocuments}` })
    return []
  }

  const documents: SourceDocument[] = []
  for (const document of parsed) {
    const before = problems.length
    // After the first error the parser is guessing.
    for (const error of [...document.errors.slice(0, 1), ...document.warnings.slice(0, mostWarnings)]) {
      const hint = error.code === 'TAB_AS_INDENT' ? { hint: 'indent with spaces' } : {}
      problems.push({ ...placeAt(error.pos[0]), message: `not valid YAML: ${words(error)}`, ...hint })
    }
    if (problems.length > before) continue
    const root = document.contents as Node | null
    if (root === null || isEmpty(root)) continue
    checkNodes(document, root, placeAt, problems)
    if (problems.length > before) continue
    try {
      const value: unknown = document.toJS({ maxAliasCount: 100 })
      const locate = (path: Path, part: 'key' | 'value') => placeAt(offsetOf(document, root, path, part))
      documents.push(new SourceDocument(file, value, locate))
    } catch (error) {
      problems.push({ ...placeAt(firstAlias(root)), message: `an alias cannot be resolved: ${words(error)}` })
    }
  }
  return documents
}

/** The parser recurses into `[[[[…` and `- - - …`, so that depth is bounded before it runs, with room for brackets in text. */
function bracketsTooDeep(source: string): { line: number; column: number } | undefined {
  let level = 0
  let line = 1
  let lineStart = 0
  let indicators = 0
  let leading = true
  for (let index = 0; index < source.length; index++) {
    const character = source[index]!
    if (character === '\n') {
      line++
      lineStart = index + 1
      indicators = 0
      leading = true
    } else if ('[{'.includes(character)) level++
    else if (']}'.includes(character)) level = Math.max(0, level - 1)
    else if (leading && '-?:'.includes(character)) indicators++
    leading &&= character === '\n' || ' -?:'.includes(character)
    if (Math.max(level, indicators) > greatestDepth * 4) return { line, column: index - lineStart + 1 }
  }
  return undefined
}

function isEmpty(node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null && node.range?.[0] === node.range?.[1])
}

/** Duplicate keys, depth, and aliases of what they stand in. */
function checkNodes(
  document: ParsedDocument,
  root: Node,
  placeAt: (offset: number) => Place,
  problems: Problem[],
): void {
  const waiting: { node: unknown; depth: number }[] = [{ node: root, depth: 1 }]
  let aliases = 0
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, depth } = next
    if (depth > greatestDepth) {
      const offset = (node as Node | null)?.range?.[0] ?? 0
      problems.push({ ...placeAt(offset), message: `nested more than ${greatestDepth} levels deep` })
      return
    }
    if (isAlias(node)) {
      if (++aliases > mostAliases) {
        problems.push({ ...placeAt(node.range?.[0] ?? 0), message: `more than ${mostAliases} aliases` })
        return
      }
      const [from, , to] = node.resolve(document as never)?.range ?? [0, 0, -1]
      const offset = node.range?.[0] ?? 0
      if (from <= offset && offset < to) {
        problems.push({ ...placeAt(offset), message: `the alias *${node.source} stands inside of what it names` })
      }
    }
    if (isSeq(node)) for (const item of node.items) waiting.push({ node: item, depth: depth + 1 })
    if (!isMap(node)) continue
    const first = new Map<string, number>()
    for (const pair of node.items) {
      const name = keyOf(pair)
      const offset = (pair.key as Node | null)?.range?.[0] ?? 0
      const earlier = first.get(name)
      if (earlier === undefined) first.set(name, offset)
      else {
        const message = `the key ${JSON.stringify(name)} stands twice: first in line ${placeAt(earlier).line}`
        problems.push({ ...placeAt(offset), message })
      }
      waiting.push({ node: pair.value, depth: depth + 1 })
    }
  }
}

function keyOf(pair: Pair): string {
  const key = pair.key as { value?: unknown } | null
  return String(key !== null && typeof key === 'object' ? (key.value ?? '') : key)
}

function offsetOf(document: ParsedDocument, root: Node, path: Path, part: 'key' | 'value'): number {
  let node: Node = root
  let offset = root.range?.[0] ?? 0
  for (const [index, step] of path.entries()) {
    let next: Node | null | undefined
    let keyOffset: number | undefined
    const target = isAlias(node) ? (node.resolve(document as never) as Node | undefined) : node
    if (isMap(target)) {
      const pair = (target as YAMLMap).items.find(each => keyOf(each) === String(step))
      keyOffset = (pair?.key as Node | null | undefined)?.range?.[0]
      next = pair?.value as Node | null | undefined
    } else if (isSeq(target)) next = target.items[Number(step)] as Node | undefined
    const valueOffset = next?.range?.[0]
    if (keyOffset === undefined && valueOffset === undefined) return offset
    const last = index === path.length - 1
    // A value that is left empty has no width: its key is what can be seen.
    const empty = next?.range !== undefined && next.range !== null && next.range[0] === next.range[1]
    offset = (last && part === 'key') || valueOffset === undefined || empty ? (keyOffset ?? valueOffset!) : valueOffset
    if (!next) return offset
    node = next
  }
  return offset
}

function firstAlias(root: Node): number {
  let offset: number | undefined
  visit(root, {
    Alias(_, alias) {
      offset = alias.range?.[0]
      return visit.BREAK
    },
  })
  return offset ?? root.range?.[0] ?? 0
}

function words(error: unknown): string {
  if (error instanceof RangeError) return 'nested too deeply'
  const message = error instanceof Error ? error.message : String(error)
  return message.split('\n')[0]!.slice(0, 200)
}

/** Problems in the order of their files, and of their places within each; what is said twice is said once. */
export function inOrder(problems: readonly Problem[]): Problem[] {
  const files = [...new Set(problems.map(problem => problem.file))]
  const sorted = problems.toSorted(
    (a, b) => files.indexOf(a.file) - files.indexOf(b.file) || a.line - b.line || a.column - b.column,
  )
  const said = new Set<string>()
  return sorted.filter(problem => {
    const key = JSON.stringify([problem.file, problem.line, problem.column, problem.message])
    return !said.has(key) && said.add(key)
  })
}
