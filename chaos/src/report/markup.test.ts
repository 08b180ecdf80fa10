import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseXml } from '../../test/fixtures/reports/well-formed.ts'
import { escapeText, markup } from './markup.ts'

const anyText = fc.string({ unit: 'binary', maxLength: 60 })

describe('markup', () => {
  test('escapes every value that is not markup itself', () => {
    const inner = markup`<b>${'<&>'}</b>`
    expect(String(markup`<p title="${'"x\''}">${[inner, 'a<b', 3]}</p>`)).toBe(
      '<p title="&quot;x&#39;"><b>&lt;&amp;&gt;</b>a&lt;b3</p>',
    )
  })

  test('leaves nothing where there is nothing to say, but says zero', () => {
    expect(String(markup`[${null}${undefined}${false}${[]}${0}]`)).toBe('[0]')
  })

  test('gives well-formed XML for any text, as attribute and as content, and loses only what XML cannot carry', () => {
    fc.assert(
      fc.property(anyText, text => {
        const element = parseXml(String(markup`<a x="${text}">${text}</a>`))
        const carried = text.replace(/[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu, '\ufffd')
        expect(element.attributes).toEqual({ x: carried })
        expect(element.text).toBe(carried)
      }),
      { seed: 1, numRuns: 2000 },
    )
  })

  test('replaces a lone surrogate, which no encoding can write', () => {
    expect(escapeText('a\ud800b')).toBe('a\ufffdb')
    expect(escapeText('😀')).toBe('😀')
  })
})
