import { afterEach, expect, test, vi } from 'vitest'
import { partialSuccess, retryAfterMs } from './http.ts'

afterEach(() => {
  vi.useRealTimers()
})

test('Retry-After is seconds or a date; what is neither, or over, is none', () => {
  vi.useFakeTimers({ now: Date.parse('2026-01-01T00:00:00Z') })
  expect(retryAfterMs('7')).toBe(7_000)
  expect(retryAfterMs('Thu, 01 Jan 2026 00:00:30 GMT')).toBe(30_000)
  for (const none of [undefined, '', '0', 'soon', 'Thu, 01 Jan 2020 00:00:00 GMT'])
    expect(retryAfterMs(none)).toBeUndefined()
})

test.each([
  ['protobuf', 'application/x-protobuf', Buffer.from('0a0708ac021202484f', 'hex'), { rejected: 300, message: 'HO' }],
  ['protobuf without a number', undefined, Buffer.from('0a0412024849', 'hex'), { rejected: 0, message: 'HI' }],
  ['JSON', 'application/json', Buffer.from('{"partialSuccess":{"rejectedSpans":"3"}}'), { rejected: 3 }],
  ['nothing', undefined, Buffer.alloc(0), { rejected: 0 }],
  ['a field that runs over the end', undefined, Buffer.from('0aff7f08', 'hex'), { rejected: 0 }],
  ['text', 'text/plain', Buffer.from('thank you'), { rejected: 0 }],
  ['broken JSON', 'application/json', Buffer.from('{'), { rejected: 0 }],
])('a partial success in %s', (_what, type, body, expected) => {
  expect(partialSuccess(type, body)).toEqual(expected)
})
