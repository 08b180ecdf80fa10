import { randomFillSync } from 'node:crypto'

/** Random bytes in store: to fetch them one id at a time costs more than all else of a span. */
const store = Buffer.alloc(6_144)
let used = store.length

function take(length: number): string {
  if (used + length > store.length) {
    randomFillSync(store)
    used = 0
  }
  const from = used
  used += length
  // Never all zero.
  if (store[from] === 0) store[from] = 1
  return store.toString('hex', from, used)
}

/** 32 lower-case hex digits, never all zero. */
export function newTraceId(): string {
  return take(16)
}

/** 16 lower-case hex digits, never all zero. */
export function newSpanId(): string {
  return take(8)
}
