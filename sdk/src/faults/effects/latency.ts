import type { Delay } from './effect.ts'

/** Holds the request for `delayMs` +- `jitterMs`, uniformly. */
export const latency: Delay<'latency'> = {
  kind: 'latency',
  parse(fields) {
    const delayMs = fields.number('delayMs', { min: 0, max: 600_000 })
    return { kind: 'latency', delayMs, jitterMs: fields.number('jitterMs', { min: 0, max: delayMs }) }
  },
  delayMs: (effect, jitter) => effect.delayMs + (2 * jitter - 1) * effect.jitterMs,
}
