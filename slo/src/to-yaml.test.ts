import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { toYaml } from './to-yaml.ts'

test('names stand bare, queries in quotes that need no escapes, and several lines as a block', () => {
  const rule = {
    record: 'slo:x',
    expr: 'up{job="a"}\nand up > 0',
    labels: { slo: 'a', if: 'on' },
    values: [1, '{a="b"}'],
  }
  expect(toYaml({ groups: [{ name: 'a b', rules: [rule], none: [], left: undefined }] })).toBe(
    `groups:
  - name: a b
    rules:
      - record: slo:x
        expr: |-
          up{job="a"}
          and up > 0
        labels:
          slo: a
          if: "on"
        values:
          - 1
          - '{a="b"}'
    none: []
`,
  )
})

const anyText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.stringMatching(/^[\n a-z"':#{}[\]&*!|>%@`,?~-]*$/),
  fc.constantFrom(
    'true',
    'No',
    'null',
    '~',
    '1e3',
    '0x1f',
    '.inf',
    '12:30',
    '2026-11-25',
    '- a',
    'a: b',
    'a #b',
    ' a',
    'a\n',
  ),
)
const { data } = fc.letrec(tie => ({
  data: fc.oneof(
    { depthSize: 'small' },
    anyText,
    fc.double({ noNaN: true }).map(value => (value === 0 ? 0 : value)),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('data'), { maxLength: 4 }),
    fc.dictionary(
      anyText.filter(key => key !== '__proto__'),
      tie('data'),
      { maxKeys: 4, noNullPrototype: true },
    ),
  ),
}))

test('whatever is written is read back, by YAML 1.2 and by 1.1', () => {
  fc.assert(
    fc.property(fc.array(data, { minLength: 1 }), written => {
      for (const version of ['1.2', '1.1'] as const) {
        expect(parse(toYaml({ written }), { version })).toEqual({ written })
        expect(parse(toYaml(written), { version })).toEqual(written)
      }
    }),
  )
})
