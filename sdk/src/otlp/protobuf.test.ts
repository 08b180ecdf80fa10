import { expect, test } from 'vitest'
import { toNanos } from '../clock.ts'
import { ProtobufWriter } from './protobuf.ts'

const written = (write: (to: ProtobufWriter) => void) => {
  const to = new ProtobufWriter(1)
  write(to)
  return to.finish()
}

test('nanoseconds are exact, as with whole numbers of any size', () => {
  for (const ms of [0, 0.5, 1, 65_535.999999, 65_536, 1_764_082_408_123.456, 4_102_444_800_000.5, 2 ** 43]) {
    const both = [written(to => to.nanos(7, ms)), written(to => to.fixed64(7, toNanos(ms)))]
    expect(both[0], String(ms)).toEqual(both[1])
  }
})

test('strings are UTF-8, short and long, plain and not', () => {
  for (const text of [
    '',
    'a',
    'GET /orders/:id',
    'x'.repeat(63),
    'x'.repeat(64),
    'x'.repeat(300),
    'grün',
    '€'.repeat(50),
    '\u007f\u0080',
  ]) {
    const bytes = written(to => to.string(5, text))
    const length = Buffer.byteLength(text)
    const head = length < 128 ? [0x2a, length] : [0x2a, (length & 0x7f) | 0x80, length >> 7]
    expect(bytes, text).toEqual(Buffer.concat([Buffer.from(head), Buffer.from(text)]))
  }
})

test('ids in hex are read in either case', () => {
  expect(written(to => to.hex(1, '0123456789abcdefABCDEF'))).toEqual(
    Buffer.from([0x0a, 11, 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0xab, 0xcd, 0xef]),
  )
})

test('a message that was thought to be small may become as long as it likes', () => {
  for (const length of [0, 1, 60, 127, 128, 20_000]) {
    const bytes = written(to => {
      const message = to.openSmall(9)
      for (let at = 0; at < length; at++) to.unsigned(1, 0)
      to.closeSmall(message)
    })
    const body = Buffer.from(Array.from({ length: length * 2 }, (_, at) => (at % 2 === 0 ? 8 : 0)))
    const size = length * 2
    const varint =
      size < 128
        ? [size]
        : [(size & 0x7f) | 0x80, ((size >> 7) & 0x7f) | 0x80, ((size >> 14) & 0x7f) | 0x80, size >> 21]
    expect(bytes).toEqual(Buffer.concat([Buffer.from([0x4a, ...varint]), body]))
  }
})
