import fc from 'fast-check'
import { expect, test } from 'vitest'
import { authorizationOf, callCheck } from './signed-call.ts'

const key = 'a-key-of-32-characters-for-tests'
const call = { method: 'PUT', path: '/faults/a', body: '{"percent":1}' }
const now = 1_800_000_000_000

test('a call is taken once, and never again', () => {
  const check = callCheck(key, () => now)
  const authorization = authorizationOf(call, key, now)
  expect(check(authorization, call)).toBeUndefined()
  expect(check(authorization, call)).toBe('authorization: this very call has been made before')
  expect(check(authorizationOf(call, key, now), call)).toBeUndefined()
})

test('a signature is good for one method, path, body and key only', () => {
  const check = callCheck(key, () => now)
  const authorization = authorizationOf(call, key, now)
  for (const other of [{ method: 'DELETE' }, { path: '/faults/b' }, { body: '{"percent":100}' }])
    expect(check(authorization, { ...call, ...other })).toBe('authorization: signed with another key')
  expect(check(authorizationOf(call, `${key}!`, now), call)).toBe('authorization: signed with another key')
  expect(check(authorization, call)).toBeUndefined()
})

test('an old call is refused, also after it is forgotten, and so is one of a clock that is ahead', () => {
  let wall = now
  const check = callCheck(key, () => wall)
  const authorization = authorizationOf(call, key, now)
  expect(check(authorization, call)).toBeUndefined()
  wall += 45_000
  expect(check(authorization, call)).toBe('authorization: the clocks are 45 s apart, expected at most 30 s')
  expect(check(authorizationOf(call, key, wall + 31_000), call)).toContain('31 s apart')
})

test('anything else is refused, and nothing is thrown', () => {
  const check = callCheck(key, () => now)
  fc.assert(
    fc.property(fc.option(fc.string(), { nil: undefined }), header => {
      expect(check(header, call)).toMatch(/^authorization: /)
    }),
  )
  expect(check(`Bearer ${key}`, call)).toContain('expected a call that is signed')
})
