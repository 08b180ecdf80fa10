import type { Draw } from '../choice.ts'
import { distributions } from '../wire.ts'
import type { Delay, EffectOf } from './effect.ts'

const longestMs = 600_000

/** Holds the request back for a while, drawn from the distribution. */
export const latency: Delay<'latency'> = {
  kind: 'latency',
  parse(fields) {
    const delayMs = fields.number('delayMs', { min: 0, max: longestMs })
    const effect: EffectOf<'latency'> = {
      kind: 'latency',
      delayMs,
      jitterMs: fields.number('jitterMs', { min: 0, max: delayMs }),
    }
    if (fields.has('distribution')) effect.distribution = fields.oneOf('distribution', distributions)
    return effect
  },
  delayMs: (effect, draw, measure) => Math.min(longestMs, drawn(effect, draw)) * measure,
}

function drawn({ delayMs, jitterMs, distribution = 'uniform' }: EffectOf<'latency'>, { jitter, turn }: Draw): number {
  if (jitterMs === 0) return delayMs
  if (distribution === 'uniform') return delayMs + (2 * jitter - 1) * jitterMs
  // Box and Muller; 1 − jitter is never 0.
  if (distribution === 'normal') {
    const deviations = Math.sqrt(-2 * Math.log(1 - jitter)) * Math.cos(2 * Math.PI * turn)
    return Math.max(0, delayMs + deviations * jitterMs)
  }
  return delayMs * (1 - jitter) ** (-1 / (1 + delayMs / jitterMs))
}
