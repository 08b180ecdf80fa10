import { expect, test } from 'vitest'
import { LineBuffer } from './line-buffer.ts'

test('what is written piece by piece stands there as one text, however long it grows', () => {
  const line = new LineBuffer(4)
  line.ascii('took ')
  line.digits(1_007, 3)
  line.text(' µs ')
  line.raw(Buffer.from('€'))
  line.digits(9_999_999_999_999, 13)
  expect(line.written.toString()).toBe('took 007 µs €9999999999999')
  line.shorten(5)
  line.text('x'.repeat(10_000))
  expect(line.written.toString()).toBe(`took ${'x'.repeat(10_000)}`)
})
