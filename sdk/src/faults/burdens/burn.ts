import type { Burden } from './burden.ts'
import { startLeasedThread } from './leased-thread.ts'

const body = 'while (!expired()) for (let i = 0; i < 1e6; i++) Math.sqrt(i)'

/** Takes CPU time away from the process and its neighbours, one core a thread. The event loop itself stays free. */
export const burn: Burden<'burn'> = {
  kind: 'burn',
  parse: fields => ({ kind: 'burn', threads: fields.number('threads', { min: 1, max: 64, integer: true }) }),
  begin({ threads }, lease, clock, struck) {
    for (let thread = 0; thread < threads; thread++) startLeasedThread(body, undefined, lease, clock)
    struck()
  },
}
