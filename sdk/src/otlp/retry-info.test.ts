import { expect, test } from 'vitest'
import { retryDelayMs } from './retry-info.ts'

const bytes = (number: number, value: Uint8Array | string) =>
  Buffer.concat([Buffer.from([number * 8 + 2, Buffer.from(value).length]), Buffer.from(value)])
const duration = (...fields: number[]) => bytes(1, Buffer.from(fields))
const detail = (type: string, value: Uint8Array) =>
  bytes(3, Buffer.concat([bytes(1, `type.googleapis.com/${type}`), bytes(2, value)]))
const status = (...details: Uint8Array[]) => Buffer.concat([Buffer.from([8, 8]), bytes(2, 'busy'), ...details])

test('the delay is told in ms, whatever other details stand before it', () => {
  const seconds = detail('google.rpc.RetryInfo', duration(8, 0xac, 2)) // 300 s
  expect(retryDelayMs(status(detail('google.rpc.Help', Buffer.from('x')), seconds))).toBe(300_000)
  const nanos = detail('google.rpc.RetryInfo', duration(8, 1, 16, 0x80, 0xe5, 0x9a, 0x77)) // 250,000,000 ns
  expect(retryDelayMs(status(nanos))).toBe(1_250)
})

test('a RetryInfo without a delay is 0, and none at all is undefined', () => {
  expect(retryDelayMs(status(detail('google.rpc.RetryInfo', Buffer.alloc(0))))).toBe(0)
  expect(retryDelayMs(status())).toBeUndefined()
  expect(retryDelayMs(Buffer.alloc(0))).toBeUndefined()
})

test('what is no status is no delay, wherever it breaks off', () => {
  const whole = status(detail('google.rpc.RetryInfo', duration(8, 1)))
  for (let end = 0; end < whole.length; end++) expect([undefined, 0]).toContain(retryDelayMs(whole.subarray(0, end)))
  for (const junk of [[0xff, 0xff], [0x1d], [0x1a, 0x7f], Array(12).fill(0x80)])
    expect(retryDelayMs(Buffer.from(junk))).toBeUndefined()
})
