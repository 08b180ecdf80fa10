import { randomFillSync } from 'node:crypto'

// sfc32, seeded by the system: ids need uniqueness, not secrecy, and every request takes two.
const seed = randomFillSync(new Uint32Array(4))
let a = seed[0]!
let b = seed[1]!
let c = seed[2]!
let d = seed[3]!

function next(): number {
  const t = (a + b + d) | 0
  d = (d + 1) | 0
  a = b ^ (b >>> 9)
  b = (c + (c << 3)) | 0
  c = (c << 21) | (c >>> 11)
  c = (c + t) | 0
  return t >>> 0
}

const bytes = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

function hex(word: number): string {
  return bytes[word >>> 24]! + bytes[(word >>> 16) & 0xff]! + bytes[(word >>> 8) & 0xff]! + bytes[word & 0xff]!
}

/** 32 lower-case hex digits, never all zero. */
export function newTraceId(): string {
  return hex((next() | 1) >>> 0) + hex(next()) + hex(next()) + hex(next())
}

/** 16 lower-case hex digits, never all zero. */
export function newSpanId(): string {
  return hex((next() | 1) >>> 0) + hex(next())
}
