import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isPlainPath } from './plain-path.ts'

test('a path of letters, digits and the like is plain', () => {
  for (const path of ['/', '/orders/42/items', '/a-b_c~d.e', '/12345678901']) expect(isPlainPath(path), path).toBe(true)
})

test('what JSON, a URL or a secret would write otherwise is not', () => {
  const paths = [
    '/a b',
    '/a"b',
    '/a\\b',
    '/grün',
    '/%2e',
    '/a@b',
    '/a:b',
    '/a=b',
    '/eyJhbGciOi',
    '/4111111111111111',
    '/\n',
  ]
  for (const path of paths) expect(isPlainPath(path), path).toBe(false)
})

test('a plain path is its own JSON', () => {
  const path = fc.string({ unit: 'binary' })
  fc.assert(fc.property(path, text => !isPlainPath(text) || JSON.stringify(text) === `"${text}"`))
})
