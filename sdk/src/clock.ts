let offsetMs = Date.now() - performance.now()
/** When the wall clock was last read. */
let comparedAt = performance.now()
const compareEveryMs = 10

/**
 * Now, in ms since the epoch with sub-millisecond digits; follows the wall clock, within 10 ms, when that is set. `monotonic`
 * is a reading of `performance.now()` that the caller has just taken.
 */
export function nowMs(monotonic = performance.now()): number {
  if (monotonic - comparedAt >= compareEveryMs) {
    comparedAt = monotonic
    const wall = Date.now()
    if (Math.abs(wall - offsetMs - monotonic) >= 50) offsetMs = wall - performance.now()
  }
  return offsetMs + monotonic
}

/** `[seconds, nanoseconds]`, the shape in which OpenTelemetry hands times around. */
export function toHrTime(ms: number): [number, number] {
  const seconds = Math.floor(ms / 1000)
  return [seconds, Math.round((ms - seconds * 1000) * 1e6)]
}

/** Nanoseconds since the epoch. */
export function toNanos(ms: number): bigint {
  const whole = Math.floor(ms)
  return BigInt(whole) * 1_000_000n + BigInt(Math.round((ms - whole) * 1e6))
}
