import { expect, test } from 'vitest'
import { signedTag, tagReader } from './tag.ts'

const key = 'a-key-of-32-characters-for-tests'
let now = 1_000_000
const read = tagReader(key, () => now)

test('a tag is read by whoever has the key, until it expires', () => {
  const token = signedTag('run-7', key, 500, now)
  expect([read(token), read(token)]).toEqual(['run-7', 'run-7'])
  expect(tagReader('another-key-of-32-characters-too', () => now)(token)).toBeUndefined()
  now += 500
  expect(read(token)).toBeUndefined()
})

test('no part of it can be changed, and no two are alike', () => {
  const token = signedTag('run-7', key, 60_000, now)
  expect(signedTag('run-7', key, 60_000, now)).not.toBe(token)
  expect(read(token)).toBe('run-7')
  for (const changed of [
    token.replace('run-7', 'run-8'),
    token.replace(/\.(\d+)\./, (_, at) => `.${Number(at) + 1}.`),
    `${token}x`,
    token.slice(0, -1),
    token.split('.').toReversed().join('.'),
    '',
    undefined,
  ])
    expect(read(changed)).toBeUndefined()
})

test('a name that would not survive the baggage is refused', () => {
  expect(() => signedTag('run 7', key, 1_000)).toThrow('a tag is 1 to 64 letters, digits, _ and -, saw run 7')
})
