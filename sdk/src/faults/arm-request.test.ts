import fc from 'fast-check'
import { expect, test } from 'vitest'
import { parseArmRequest, parseLeaseRequest } from './arm-request.ts'
import { FieldError } from './fields.ts'
import type { ArmRequest, FaultEffect, FaultMatch } from './wire.ts'

const effect: fc.Arbitrary<FaultEffect> = fc.oneof(
  fc
    .tuple(fc.nat(10_000), fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([delayMs, share]) => ({ kind: 'latency' as const, delayMs, jitterMs: Math.floor(delayMs * share) })),
  fc.record({ kind: fc.constant('error' as const), status: fc.integer({ min: 400, max: 599 }), body: fc.string() }),
  fc.constantFrom({ kind: 'reset' as const }, { kind: 'hang' as const }),
)
const match: fc.Arbitrary<FaultMatch> = fc.oneof(
  fc.record(
    {
      direction: fc.constant('inbound' as const),
      method: fc.constantFrom('GET', 'POST'),
      path: fc.constantFrom('/', '/a/:b', '/a/*'),
      from: fc.stringMatching(/^[a-z ]{1,9}$/),
    },
    { requiredKeys: ['direction'] },
  ),
  fc.record(
    { direction: fc.constant('outbound' as const), peers: fc.constant<string[]>(['payments:8080', '[::1]:9']) },
    { requiredKeys: ['direction'] },
  ),
)
const armRequest: fc.Arbitrary<ArmRequest> = fc.record({
  effect,
  match,
  percent: fc.double({ min: 0, max: 100, noNaN: true }),
  scope: fc.constantFrom('request', 'attempt'),
  seed: fc.maxSafeInteger(),
  leaseMs: fc.integer({ min: 100, max: 60_000 }),
})

test('a request that fits the wire types is read as it stands', () => {
  fc.assert(
    fc.property(armRequest, request => {
      expect(parseArmRequest(structuredClone(request))).toEqual(request)
    }),
  )
})

test('any JSON at all is read or refused with a FieldError, never otherwise', () => {
  const refuses = (parse: (body: unknown) => unknown, body: unknown) => {
    try {
      parse(body)
    } catch (error) {
      expect(error).toBeInstanceOf(FieldError)
    }
  }
  fc.assert(
    fc.property(fc.jsonValue(), body => {
      refuses(parseArmRequest, body)
      refuses(parseLeaseRequest, body)
    }),
    { numRuns: 500 },
  )
})

test('a good request with one field broken is refused by the name of that field', () => {
  const places = ['effect', 'match', 'percent', 'scope', 'seed', 'leaseMs'] as const
  const broken = fc.constantFrom(null, true, 'x', -1e18, [], [1], undefined)
  fc.assert(
    fc.property(armRequest, fc.constantFrom(...places), broken, (request, place, value) => {
      expect(() => parseArmRequest({ ...request, [place]: value })).toThrow(new RegExp(`^${place}: expected `))
    }),
  )
})

test.each([
  [{ match: { direction: 'sideways' } }, 'match.direction: expected one of inbound, outbound, tcp, saw "sideways"'],
  [{ match: { direction: 'inbound', path: 'orders' } }, 'match.path: expected a path from / on'],
  [{ match: { direction: 'inbound', path: '/a?b' } }, 'match.path: expected a path from / on'],
  [{ match: { direction: 'inbound', path: '/*/b' } }, 'match.path: expected a path from / on'],
  [{ match: { direction: 'inbound', method: 'get' } }, 'match.method: expected an HTTP method in capitals, saw "get"'],
  [{ match: { direction: 'outbound', peers: [] } }, 'match.peers: expected a list of 1 to 1000'],
  [{ match: { direction: 'outbound', peers: ['a:1', 'b'] } }, 'match.peers[1]: expected `host:port`, saw "b"'],
  [{ match: { direction: 'outbound', from: 'a' } }, 'match.from: unknown field'],
  [
    { effect: { kind: 'explode' } },
    'effect.kind: expected one of latency, error, reset, hang, truncate, bandwidth, stall, burn, memory, saw "explode"',
  ],
  [{ effect: { kind: 'error', status: 200 } }, 'effect.status: expected an integer from 400 to 599, saw 200'],
  [{ effect: { kind: 'reset', delayMs: 1 } }, 'effect.delayMs: unknown field'],
  [{ effect: { kind: 'error', grpcStatus: 0 } }, 'effect.grpcStatus: expected an integer from 1 to 16, saw 0'],
  [{ effect: { kind: 'truncate' } }, 'effect.afterBytes: expected an integer from 0 to '],
  [
    { match: { direction: 'inbound', headers: { 'X-A': 'b' } } },
    'match.headers: expected a header in small letters, saw "X-A"',
  ],
  [{ match: { direction: 'tcp' } }, 'match.peers: expected a list of 1 to 1000'],
  [{ match: { direction: 'process' } }, 'match.direction: expected one of inbound, outbound, tcp, saw "process"'],
  [{ effect: { kind: 'burn', threads: 1 } }, 'match.direction: expected one of process, saw "inbound"'],
  [{ schedule: { ramp: { of: 'delay', overMs: 1 } } }, 'schedule.ramp.of: expected one of percent, saw "delay"'],
  [{ effect: { kind: 'constructor' } }, 'effect.kind: expected one of'],
])('%j is refused', (part, message) => {
  const good = { effect: { kind: 'reset' }, match: { direction: 'inbound' }, percent: 1, scope: 'attempt', seed: 1 }
  expect(() => parseArmRequest({ ...good, leaseMs: 1000, ...part })).toThrow(message)
})
