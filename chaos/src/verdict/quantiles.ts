import { type Block, deviations95, quantile, widestReach } from './statistics.ts'

/** A quantile of latency and what is known of it; an open end is null: too few requests took longer to tell. */
export interface QuantileEstimate {
  ms: number
  interval: [low: number, high: number | null]
}

interface Timed {
  /** Which block of time it fell into. */
  block: number
  latencyMs: number
}

/**
 * A quantile with the order statistics that are its 95 % interval, by Woodruff (1952): the share of values at or under the
 * estimate is a ratio, whose interval, widened by the design effect of that very indicator over blocks of time, is carried back
 * through the sorted values. Nothing is assumed of how latencies are distributed.
 */
export function quantileEstimate(
  values: readonly Timed[],
  q: number,
  deviations = deviations95,
): QuantileEstimate | null {
  const sorted = values.map(({ latencyMs }) => latencyMs).sort((a, b) => a - b)
  const estimate = quantile(sorted, q)
  if (estimate === null) return null
  const blocks: Block[] = []
  for (const { block, latencyMs } of values) {
    blocks[block] ??= { good: 0, total: 0 }
    blocks[block].total++
    if (latencyMs <= estimate) blocks[block].good++
  }
  const reach = widestReach(blocks.filter(Boolean), deviations)
  const half = reach * Math.sqrt((q * (1 - q)) / sorted.length)
  const low = Math.floor(sorted.length * (q - half))
  const high = Math.ceil(sorted.length * (q + half))
  return { ms: estimate, interval: [sorted[Math.max(0, low - 1)]!, high >= sorted.length ? null : sorted[high]!] }
}

/**
 * The interval of a difference from those of its two parts (MOVER, Zou & Donner 2008; of two ratios it is Newcombe's of 1998), each
 * widened by `widen` first. An open end stays open.
 */
export function differenceInterval(
  after: { value: number; interval: readonly [number, number | null] },
  before: { value: number; interval: readonly [number, number | null] },
  widen = 1,
): [low: number | null, high: number | null] {
  const difference = after.value - before.value
  const below = (of: typeof after) => widen * (of.value - of.interval[0])
  const above = (of: typeof after) => (of.interval[1] === null ? null : widen * (of.interval[1] - of.value))
  const [upBefore, upAfter] = [above(before), above(after)]
  return [
    upBefore === null ? null : difference - Math.hypot(below(after), upBefore),
    upAfter === null ? null : difference + Math.hypot(upAfter, below(before)),
  ]
}

/**
 * How often a request of `after` takes longer than one of `before`, ties half: 0.5 where nothing changed, 1 where all do (the
 * probability of superiority; Vargha & Delaney 2000 call 0.56 small, 0.64 medium and 0.71 large).
 */
export function superiority(after: readonly number[], before: readonly number[]): number | null {
  if (after.length === 0 || before.length === 0) return null
  const sorted = [...before].sort((a, b) => a - b)
  const under = (value: number, orEqual: boolean) => {
    let [low, high] = [0, sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (sorted[middle]! < value || (orEqual && sorted[middle] === value)) low = middle + 1
      else high = middle
    }
    return low
  }
  const wins = after.reduce((sum, value) => sum + (under(value, false) + under(value, true)) / 2, 0)
  return wins / (after.length * before.length)
}
