import { randomFillSync } from 'node:crypto'

/**
 * Random digits in store: to make them one id at a time costs more than all else of a span. Not many, for an id that is kept, such
 * as an exemplar's, keeps the whole store that it was cut from.
 */
const bytes = Buffer.alloc(768)
let digits = ''
let used = 0

function take(length: number): string {
  if (used + length > digits.length) {
    randomFillSync(bytes)
    // Every id begins at a multiple of eight bytes: none is all zero.
    for (let at = 0; at < bytes.length; at += 8) if (bytes[at] === 0) bytes[at] = 1
    digits = bytes.toString('hex')
    used = 0
  }
  const from = used
  used += length
  return digits.slice(from, used)
}

/** 32 lower-case hex digits, never all zero. */
export function newTraceId(): string {
  return take(32)
}

/** 16 lower-case hex digits, never all zero. */
export function newSpanId(): string {
  return take(16)
}
