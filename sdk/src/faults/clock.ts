/** A monotonic clock in ms, passed in so that leases and delays can be tested without waiting. */
export interface Clock {
  now(): number
  /** Runs once after `ms`; the answer cancels it. An `idle` wait does not keep the process alive. */
  after(ms: number, run: () => void, idle?: 'idle'): () => void
}

export const monotonicClock: Clock = {
  now: () => performance.now(),
  after(ms, run, idle) {
    const timer = setTimeout(run, ms)
    if (idle) timer.unref()
    return () => clearTimeout(timer)
  },
}
