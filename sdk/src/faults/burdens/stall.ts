import type { Burden } from './burden.ts'

/** Stops the event loop again and again: no request goes on, no timer fires, and no lease is renewed meanwhile. */
export const stall: Burden<'stall'> = {
  kind: 'stall',
  parse(fields) {
    const blockMs = fields.number('blockMs', { min: 1, max: 10_000 })
    return { kind: 'stall', blockMs, everyMs: fields.number('everyMs', { min: blockMs, max: 600_000 }) }
  },
  begin({ blockMs, everyMs }, lease, clock, struck) {
    let cancel = () => {}
    const block = () => {
      // Never beyond the lease, which could not be kept meanwhile.
      const ms = Math.min(blockMs, lease.expiresAt - clock.now())
      if (lease.ended || ms <= 0) return
      struck()
      const began = clock.now()
      sleepWithoutTurning(ms)
      // At least one turn in between, so that the loop hears of a disarm.
      cancel = clock.after(Math.max(1, everyMs - (clock.now() - began)), block, 'idle')
    }
    // The caller gets its answer first.
    cancel = clock.after(1, block, 'idle')
    lease.onEnd(() => cancel())
  },
}

function sleepWithoutTurning(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)
}
