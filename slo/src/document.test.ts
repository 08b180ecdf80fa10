import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { inOrder, parseDocuments, refused } from './document.ts'
import { formatProblem, InvalidInput, type Problem } from './error.ts'
import { nearest } from './nearest.ts'
import { readObjectives } from './openslo.ts'
import { duration, formatDuration, parseDuration, percentage, rate } from './yaml-values.ts'

function problemsOf(text: string, schema: z.ZodType = z.unknown()): string[] {
  const problems: Problem[] = []
  for (const document of parseDocuments(text, 'f.yaml', problems)) document.read(schema, problems)
  return inOrder(problems).map(formatProblem)
}

describe('the strict reader', () => {
  it.each([
    ['an empty file', '', 'f.yaml:1:1: the file is empty'],
    ['a file of comments', '# nothing\n', 'f.yaml:1:1: the file is empty'],
    ['a key that stands twice', 'a: 1\nb: { c: 1, c: 2 }', 'f.yaml:2:12: the key "c" stands twice: first in line 2'],
    [
      'a tab',
      'a:\n\tb: 1',
      'f.yaml:2:1: not valid YAML: Tabs are not allowed as indentation\n  hint: indent with spaces',
    ],
    ['a bad escape', 'a: "\\q"', 'f.yaml:1:5: not valid YAML: Invalid escape sequence \\q'],
    ['a key that is a list', '? [a]\n: 1', 'f.yaml:1:3: not valid YAML: With stringKeys, all keys must be strings'],
    ['an alias of what it stands in', 'a: &a [*a]', 'f.yaml:1:8: the alias *a stands inside of what it names'],
    ['binary content', 'a: 1\nb: \0', 'f.yaml:2:4: the file is not UTF-8 text'],
    ['lists in lists without end', '['.repeat(100_000), 'f.yaml:1:257: nested more than 64 levels deep'],
  ])('refuses %s', (_, text, message) => {
    expect(problemsOf(text)).toEqual([message])
  })

  it('refuses blocks within blocks without end, and aliases that multiply', () => {
    const deep = Array.from({ length: 300 }, (_, level) => `${' '.repeat(level)}a:`).join('\n')
    expect(problemsOf(deep)).toEqual(['f.yaml:65:65: nested more than 64 levels deep'])
    const bomb = `a: &a [x, x, x, x, x, x, x, x]\n${[...'bcdefg'].map((name, index) => `${name}: &${name} [${`*${'abcdef'[index]}, `.repeat(8)}]`).join('\n')}`
    expect(problemsOf(bomb)[0]).toMatch(/^f.yaml:2:8: an alias cannot be resolved: /)
  })

  it('refuses aliases by the thousand without looking for what each of them names', () => {
    expect(problemsOf(`- &a x\n${'- *a\n'.repeat(40_000)}`)).toEqual(['f.yaml:39901:3: more than 100 aliases'])
  })

  it('refuses a file too long to be a configuration', () => {
    expect(problemsOf('a'.repeat(300_000))).toEqual([
      'f.yaml:1:1: the file is too long: 300000 characters, at most 262144',
    ])
  })

  it('reads every document of a file, and counts its lines with CRLF and after a byte order mark', () => {
    const problems: Problem[] = []
    const documents = parseDocuments('\uFEFFa: 1\r\n---\r\nb:\r\n  c: 2\r\n', 'f.yaml', problems)
    expect(problems).toEqual([])
    expect(documents.map(each => each.value)).toEqual([{ a: 1 }, { b: { c: 2 } }])
    expect(documents[0]?.place(['a'])).toEqual({ file: 'f.yaml', line: 1, column: 4 })
    expect(documents[1]?.place(['b', 'c'], 'key')).toEqual({ file: 'f.yaml', line: 4, column: 3 })
  })

  it('finds the place of what an alias stands for', () => {
    const [document] = parseDocuments('a: &x\n  n: 1\nb: *x\n', 'f.yaml', [])
    expect(document?.place(['b', 'n'])).toEqual({ file: 'f.yaml', line: 2, column: 6 })
  })

  it('keeps the keys __proto__ and constructor out of prototypes', () => {
    const [document] = parseDocuments('__proto__: { polluted: true }\nconstructor: 1', 'f.yaml', [])
    expect(Object.hasOwn(document?.value as object, '__proto__')).toBe(true)
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('what is wrong with a value', () => {
  const schema = z.strictObject({
    name: z.string(),
    size: z.enum(['small', 'large']).optional(),
    parts: z.array(z.strictObject({ count: z.int().min(1) })).optional(),
    later: refused('not supported yet: it comes later'),
  })

  it('stands at the value, at the key when it is unknown, and at the parent when it is missing', () => {
    expect(problemsOf('nmae: x\nsize: larg\nparts:\n  - count: 0\n  - {}\n  - count: 1.5\nlater: 1', schema)).toEqual([
      'f.yaml:1:1: unknown field "nmae"; did you mean "name"?',
      'f.yaml:2:7: size: expected one of "small", "large", saw "larg"; did you mean "large"?',
      'f.yaml:4:12: parts[0].count: expected at least 1, saw the number 0',
      'f.yaml:5:5: parts[1].count is missing: expected a number',
      'f.yaml:6:12: parts[2].count: expected a whole number, saw the number 1.5',
      'f.yaml:7:1: later is not supported yet: it comes later',
    ])
  })

  it('stands at the key of a value that is left empty', () => {
    expect(problemsOf('size: small\nname:\n', schema)).toEqual(['f.yaml:2:1: name: expected text, saw nothing'])
  })
})

describe('values with units', () => {
  it.each([
    ['500ms', 500],
    ['5s', 5000],
    ['1.5s', 1500],
    ['1h30m', 5_400_000],
    ['30d', 2_592_000_000],
    ['5', undefined],
    ['s', undefined],
    ['-5s', undefined],
    ['1s1m', undefined],
    ['5 s', undefined],
    ['', undefined],
  ])('the duration %j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })

  it('a duration that is written is read as the same', () => {
    fc.assert(fc.property(fc.integer({ min: 1, max: 10_000_000_000 }), ms => parseDuration(formatDuration(ms)) === ms))
  })

  it('rates are events a second and percentages are ratios', () => {
    expect(rate().parse('300/m')).toBe(5)
    expect(rate().parse('0.5/s')).toBe(0.5)
    expect(percentage().parse('99.9%')).toBe(0.999)
    expect(duration().safeParse('soon').success).toBe(false)
  })
})

describe('the nearest name', () => {
  it.each([
    ['paymnets', 'payments'],
    ['Payments', 'payments'],
    ['orders2', 'orders'],
    ['zebra', undefined],
  ])('to %j is %j', (name, near) => {
    expect(nearest(name, ['orders', 'payments', 'gateway'])).toBe(near)
  })
})

describe('whatever the text is', () => {
  const scraps = fc.constantFrom(
    'apiVersion: openslo/v1',
    'kind: SLO',
    '\n',
    '\n  ',
    '- ',
    ': ',
    '[',
    ']',
    '{',
    '}',
    '&a ',
    '*a',
    '"',
    "'",
    '|\n',
    '\t',
    '? ',
    '---\n',
    '!!int ',
    '#',
    '%',
    '\u0000',
    '\uFEFF',
    'spec',
    '<<: ',
  )
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(scraps, { maxLength: 40 }).map(parts => parts.join('')),
  )

  it('reading it ends with objectives or with InvalidInput, whose problems have places in the text', () => {
    fc.assert(
      fc.property(text, source => {
        try {
          readObjectives(source, 'f.yaml')
        } catch (error) {
          if (!(error instanceof InvalidInput)) throw error
          const lines = source.split('\n').length
          for (const { line, column } of error.problems) {
            expect(line).toBeGreaterThanOrEqual(1)
            expect(line).toBeLessThanOrEqual(lines)
            expect(column).toBeGreaterThanOrEqual(1)
          }
          expect(error.problems.length).toBeGreaterThan(0)
        }
      }),
      { numRuns: 1500 },
    )
  })
})
