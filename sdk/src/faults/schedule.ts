import type { Schedule } from './wire.ts'

/** Which part of its percentage, and of its delay, a fault has at a moment: 0 to 1. */
export interface Intensity {
  percent: number
  delay: number
}

/** How hard a fault strikes at any moment after it was armed at `armedAt`; `undefined` while it is off. */
export function intensity(
  { ageMs = 0, ramp, pulse }: Schedule = {},
  armedAt: number,
): (now: number) => Intensity | undefined {
  const beganAt = armedAt - ageMs
  return now => {
    const age = Math.max(0, now - beganAt)
    if (pulse && age % (pulse.onMs + pulse.offMs) >= pulse.onMs) return undefined
    const climbed = ramp ? Math.min(1, age / ramp.overMs) : 1
    return { percent: ramp?.of === 'percent' ? climbed : 1, delay: ramp?.of === 'delay' ? climbed : 1 }
  }
}
