import { describe, expect, it } from 'vitest'
import { tolerated } from './tolerance.ts'
import { toleranceOf } from './tolerance-of.ts'

const answer = { status: 204, headers: {}, body: { items: [{ id: 1 }, { id: 2 }] } }
const output = { status: 0, stdout: '{"ready": 3}', stderr: '' }

function holds(declared: unknown, value: unknown): boolean {
  const tolerance = toleranceOf(declared)
  if ('wrong' in tolerance) throw new Error(tolerance.wrong)
  return tolerated(tolerance, value)
}

describe('a tolerance', () => {
  it.each<[unknown, unknown, boolean]>([
    [204, answer, true],
    [200, answer, false],
    [true, true, true],
    [true, 'true', false],
    ['ok', 'ok', true],
    // Members, not the ends of a range: 204 is neither.
    [[200, 299], answer, false],
    [[200, 204], answer, true],
    // Of a plain number they are its ends.
    [[1, 5], 3, true],
    [[1, 5], 6, false],
    [['a', 'b', 'c'], 'b', true],
    [{ type: 'regex', pattern: 'ready": \\d', target: 'stdout' }, output, true],
    [{ type: 'regex', pattern: '^x', target: 'stdout' }, output, false],
    [{ type: 'regex', pattern: 'x', target: 'absent' }, output, false],
    [{ type: 'range', range: [0, 1], target: 'status' }, output, true],
    [{ type: 'range', range: [4.5, 8] }, '6.5', true],
    [{ type: 'range', range: [4.5, 8] }, 'six', false],
    [{ type: 'range', range: [0, 8] }, '', false],
    [{ type: 'range', range: [0, 8] }, null, false],
    [{ type: 'jsonpath', path: '$.body.items[*].id', expect: [1, 2] }, answer, true],
    [{ type: 'jsonpath', path: '$.items[*].id', expect: [2, 1], target: 'body' }, answer, false],
    [{ type: 'jsonpath', path: '$.items[*][?(@.id>1)]', count: 1, target: 'body' }, answer, true],
    // As the Toolkit's own examples write it, a '=' in a text left alone.
    [{ type: 'jsonpath', path: '$.items[*][?(@.id=2)].id', expect: [2], target: 'body' }, answer, true],
    [{ type: 'jsonpath', path: '$[*][?(@.a="x=y")]', count: 1 }, [{ a: 'x=y' }, { a: 'x==y' }], true],
    // What is not there is unequal to nothing: only the second one counts.
    [{ type: 'jsonpath', path: '$.*[?(@.a != "0")]', count: 1 }, [{ b: 1 }, { a: '1' }, { a: '0' }], true],
    [{ type: 'jsonpath', path: '$.ready', expect: 3, target: 'stdout' }, output, true],
    [{ type: 'jsonpath', path: '$.nothing' }, answer, false],
    // What is no JSON has no path: it must not count as none found.
    [{ type: 'jsonpath', path: '$.items', count: 0, target: 'body' }, { status: 502, body: '<html>' }, false],
    [{ type: 'jsonpath', path: '$.a', count: 1, expect: [2] }, { a: 1 }, false],
  ])('%j of %j: %j', (declared, value, expected) => {
    expect(holds(declared, value)).toBe(expected)
  })

  it.each<[unknown, RegExp]>([
    [{ type: 'regex', pattern: '(' }, /Invalid regular expression/],
    [{ type: 'regex', pattern: '(?P<x>a)' }, /Python's alone/],
    [{ type: 'range', range: [5, 1] }, /is empty/],
    [{ type: 'range', range: [5] }, /two numbers/],
    [{ type: 'jsonpath', path: '$.items[?(@.id>1)]' }, /write \[\*\] before it/],
    [{ type: 'jsonpath', path: '$[' }, /RFC 9535/],
    [{ type: 'jsonpath', path: '$.a', count: -1 }, /whole number/],
    [{ type: 'probe', provider: {} }, /refused/],
    [{ type: 'close-to' }, /saw "close-to"/],
    [[], /tolerates nothing/],
  ])('%j is refused', (declared, words) => {
    expect(toleranceOf(declared)).toEqual({ wrong: expect.stringMatching(words) })
  })
})
