/** Where values stand between the bottom (0) and the top (1) of a plot, and which of them get a line and a label. */
export interface Axis {
  ticks: number[]
  /** In [0, 1]; values outside the domain stay at its ends. */
  place(value: number): number
}

/** From zero to a round number at or over `greatest`. */
export function linearAxis(greatest: number, wantedTicks = 3): Axis {
  const top = greatest > 0 && Number.isFinite(greatest) ? greatest : 1
  const step = roundUp(top / wantedTicks)
  const steps = Math.ceil(top / step - 1e-9)
  const end = steps * step
  return {
    ticks: Array.from({ length: steps + 1 }, (_, index) => index * step),
    place: value => clamp(value / end),
  }
}

/** Decades around the values, all over zero; with halves between them where the decades are few. */
export function logAxis(least: number, greatest: number): Axis {
  const low = Math.floor(Math.log10(least) + 1e-9)
  const high = Math.max(low + 1, Math.ceil(Math.log10(greatest) - 1e-9))
  const ticks: number[] = []
  for (let decade = low; decade <= high; decade++) ticks.push(10 ** decade)
  return { ticks, place: value => (value <= 0 ? 0 : clamp((Math.log10(value) - low) / (high - low))) }
}

/** Linear while the values are of one order, logarithmic where a small one would vanish beside the greatest. */
export function fittingAxis(values: number[]): Axis & { logarithmic: boolean } {
  let [least, greatest] = [Number.POSITIVE_INFINITY, 0]
  for (const value of values.filter(value => value > 0)) {
    least = Math.min(least, value)
    greatest = Math.max(greatest, value)
  }
  const logarithmic = greatest / least > 20
  return { ...(logarithmic ? logAxis(least, greatest) : linearAxis(greatest)), logarithmic }
}

const timeSteps = [
  ...[100, 200, 500],
  ...[1, 2, 5, 10, 15, 30].map(seconds => seconds * 1000),
  ...[1, 2, 5, 10, 15, 30].map(minutes => minutes * 60_000),
  ...[1, 2, 4, 6, 12, 24].map(hours => hours * 3_600_000),
]

/** Moments from 0 to `totalMs` that deserve a label, few enough for a phone. */
export function timeTicks(totalMs: number): number[] {
  const step = timeSteps.find(one => totalMs / one <= 5) ?? totalMs
  const ticks: number[] = []
  for (let at = 0; step > 0 && at <= totalMs; at += step) ticks.push(at)
  return ticks
}

function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value))
  const digit = [1, 2, 2.5, 5, 10].find(one => one * power >= value - 1e-12) ?? 10
  return digit * power
}

function clamp(value: number): number {
  return Math.min(1, Math.max(0, value))
}
