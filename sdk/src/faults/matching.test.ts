import fc from 'fast-check'
import { expect, test } from 'vitest'
import { memberOf } from './baggage.ts'
import { matcher, normalPeer, pathMatcher, pathOf } from './matching.ts'

const segment = fc.stringMatching(/^[A-Za-z0-9._~-]{1,8}$/)
const segments = fc.array(segment, { minLength: 1, maxLength: 5 })

test('a path without parameters matches itself only', () => {
  fc.assert(
    fc.property(segments, segments, (one, other) => {
      const [a, b] = [`/${one.join('/')}`, `/${other.join('/')}`]
      expect(pathMatcher(a)(a)).toBe(true)
      expect(pathMatcher(a)(b)).toBe(a === b)
    }),
  )
})

test('a template matches what its parameters were put into, and no other depth', () => {
  fc.assert(
    fc.property(segments, fc.array(fc.boolean(), { minLength: 5, maxLength: 5 }), segment, (parts, open, extra) => {
      const template = `/${parts.map((part, i) => (open[i] ? `:p${i}` : part)).join('/')}`
      const filled = `/${parts.map((part, i) => (open[i] ? extra : part)).join('/')}`
      const matches = pathMatcher(template)
      expect(matches(filled)).toBe(true)
      expect(matches(`${filled}/${extra}`)).toBe(false)
      expect(matches(filled.slice(0, filled.lastIndexOf('/')) || '/')).toBe(false)
    }),
  )
})

test('a prefix matches everything under it, and not its namesakes', () => {
  fc.assert(
    fc.property(segments, segments, (prefix, rest) => {
      const start = `/${prefix.join('/')}`
      const matches = pathMatcher(`${start}/*`)
      expect(matches(`${start}/${rest.join('/')}`)).toBe(true)
      expect(matches(`${start}${rest[0]}`)).toBe(false)
      expect(matches(start)).toBe(false)
    }),
  )
  expect(pathMatcher('/*')('/')).toBe(true)
  expect(pathMatcher('/orders/:id')('/orders/')).toBe(false)
})

test('the path of a request target is found in every form', () => {
  expect(pathOf('/a/b?c=/d')).toBe('/a/b')
  expect(pathOf('http://host:80/a?b')).toBe('/a')
  expect(pathOf('http://host')).toBe('/')
  expect(pathOf('*')).toBe('*')
  expect(pathOf('?x')).toBe('/')
})

test('a dependency on this machine is known by any name of loopback', () => {
  expect(normalPeer('127.0.0.1:80')).toBe('localhost:80')
  expect(normalPeer('[::1]:80')).toBe('localhost:80')
  expect(normalPeer('LocalHost:80')).toBe('localhost:80')
  const matches = matcher({ direction: 'outbound', peers: ['payments:8080', 'localhost:9'] })
  expect(matches({ method: 'GET', path: '/', peer: 'PAYMENTS:8080' })).toBe(true)
  expect(matches({ method: 'GET', path: '/', peer: '127.0.0.1:9' })).toBe(true)
  expect(matches({ method: 'GET', path: '/', peer: '127.0.0.1:8080' })).toBe(false)
})

test('a tag is asked for last, and only where the fault wants one', () => {
  const subject = { method: 'GET', path: '/a', tag: () => 'run-7' }
  expect(matcher({ direction: 'inbound', tag: 'run-7' })(subject)).toBe(true)
  expect(matcher({ direction: 'inbound', tag: 'run-8' })(subject)).toBe(false)
  const unasked = { ...subject, tag: () => expect.unreachable() }
  expect(matcher({ direction: 'inbound' })(unasked)).toBe(true)
  expect(matcher({ direction: 'inbound', path: '/b', tag: 'run-7' })(unasked)).toBe(false)
})

test('a member is read from baggage, whatever else is in there', () => {
  expect(memberOf('a=1, shaketable.caller=orders;prop=x ,b=2', 'shaketable.caller')).toBe('orders')
  expect(memberOf('shaketable.caller=a%20b', 'shaketable.caller')).toBe('a b')
  expect(memberOf('shaketable.caller=%E0%A4%A', 'shaketable.caller')).toBe('%E0%A4%A')
  expect(memberOf('xshaketable.caller=orders', 'shaketable.caller')).toBeUndefined()
  expect(memberOf(undefined, 'shaketable.caller')).toBeUndefined()
  fc.assert(
    fc.property(fc.string(), header => {
      expect(['undefined', 'string']).toContain(typeof memberOf(header, 'shaketable.caller'))
    }),
  )
})
