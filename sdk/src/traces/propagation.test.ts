import {
  baggageEntryMetadataFromString,
  defaultTextMapGetter,
  defaultTextMapSetter,
  propagation,
  ROOT_CONTEXT,
  trace,
} from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { baggageHeaderOf, parseBaggage, parseTraceparent, W3cPropagator } from './propagation.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const spanId = '00f067aa0ba902b7'

test('a traceparent of this or a later version is read, its sampled flag alone is kept', () => {
  expect(parseTraceparent(`00-${traceId}-${spanId}-01`)).toEqual({ traceId, spanId, traceFlags: 1, isRemote: true })
  expect(parseTraceparent(`cc-${traceId}-${spanId}-03-later`)).toMatchObject({ traceFlags: 1 })
})

test.each([
  '',
  'garbage',
  `ff-${traceId}-${spanId}-01`,
  `00-${traceId}-${spanId}-01-more`,
  `00-${traceId.toUpperCase()}-${spanId}-01`,
  `00-${'0'.repeat(32)}-${spanId}-01`,
  `00-${traceId}-${'0'.repeat(16)}-01`,
])('the traceparent "%s" begins a new trace', header => {
  expect(parseTraceparent(header)).toBeUndefined()
})

test('what is injected is what is extracted: span, state, baggage with metadata', () => {
  const propagator = new W3cPropagator(['tracecontext', 'baggage'])
  const carrier = {
    traceparent: `00-${traceId}-${spanId}-01`,
    tracestate: 'vendor=1',
    baggage: 'tenant=a%20b;ttl=3,caller=gateway',
  }
  const context = propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter)
  expect(trace.getSpanContext(context)).toMatchObject({ traceId, spanId })
  expect(propagation.getBaggage(context)?.getEntry('tenant')?.value).toBe('a b')
  const again: Record<string, string> = {}
  propagator.inject(context, again, defaultTextMapSetter)
  expect(again).toEqual(carrier)
})

test('a broken baggage member is left out, the others stay', () => {
  expect(parseBaggage('a=1,=2,b,c=%zz,d=4')).toEqual({ a: { value: '1' }, d: { value: '4' } })
})

test('a baggage header over its limits loses whole members, never a part of one', () => {
  const long = 'x'.repeat(4_000)
  expect(Object.keys(parseBaggage(`a=${long},b=${long},c=${long}`))).toEqual(['a', 'b'])
  expect(parseBaggage(`a=${'x'.repeat(9_000)}`)).toEqual({})
  expect(Object.keys(parseBaggage(Array.from({ length: 300 }, (_, at) => `k${at}=1`).join(',')))).toHaveLength(180)
})

test('a baggage member named like a property of objects is a member like any other', () => {
  expect(Object.entries(parseBaggage('__proto__=1,constructor=2'))).toEqual([
    ['__proto__', { value: '1' }],
    ['constructor', { value: '2' }],
  ])
})

test('a baggage entry that no header can carry is sent without harm, or not at all', () => {
  const baggage = propagation.createBaggage({
    half: { value: '\ud800' },
    broken: { value: '1', metadata: baggageEntryMetadataFromString('a\r\nset-cookie: b') },
    fine: { value: '2', metadata: baggageEntryMetadataFromString('ttl=3; q') },
  })
  expect(baggageHeaderOf(propagation.setBaggage(ROOT_CONTEXT, baggage))).toBe('half=%EF%BF%BD,fine=2;ttl=3; q')
})

test.each([
  ['over 512 characters', `a=${'x'.repeat(600)}`],
  ['without a value', 'nonsense'],
])('a tracestate %s is left out, the traceparent stays', (_what, tracestate) => {
  const carrier = { traceparent: `00-${traceId}-${spanId}-01`, tracestate }
  const propagator = new W3cPropagator(['tracecontext'])
  const again: Record<string, string> = {}
  propagator.inject(propagator.extract(ROOT_CONTEXT, carrier, defaultTextMapGetter), again, defaultTextMapSetter)
  expect(again).toEqual({ traceparent: carrier.traceparent })
})
