import {
  type BurnRatePolicy,
  badEventsNeeded,
  burnRateThreshold,
  errorBudget,
  isBadSlice,
  policiesFor,
  type Severity,
} from './burn-rate.ts'
import type { Counters } from './count-good.ts'
import type { Objective, Slices } from './objective.ts'

/** A burn-rate alert that began or ended. */
export interface AlertTransition {
  /** The time of the observation that changed it, in ms, on the caller's clock. */
  at: number
  /** The objective's name. */
  objective: string
  severity: Severity
  /** The condition, e.g. `5m/1h` (before any scaling). */
  window: string
  state: 'firing' | 'resolved'
}

export interface BurnRateEvaluator {
  /**
   * Takes the cumulative counters at a time in ms, and returns what changed. Counters by instance are the better form:
   * one that starts anew counts from zero, one that vanishes counts no more, and one that appears counts from its first
   * sight. Of a plain sum that falls only the later increases count. A time that is not after the last is ignored.
   */
  observe(atMs: number, counters: Counters | Record<string, Counters>): AlertTransition[]
  state(): { page: boolean; ticket: boolean }
  /**
   * The bad events (or slices) and all of them, over a window in ms as the rules know it: at most the longest that an alert
   * has, or the objective's own where no alert fits it. What is older is forgotten.
   */
  events(windowMs: number): { bad: number; total: number }
  /**
   * The error ratio over a window in ms (as the rules know it: it is scaled like theirs), divided by the error budget: at 1
   * the budget lasts exactly the objective's period. `null` without events in it.
   */
  burnRate(windowMs: number): number | null
}

interface Point {
  at: number
  bad: number
  total: number
}

/**
 * The burn-rate alerts that `prometheusRules` writes, evaluated in the process, on the caller's clock. `windowScale` divides
 * every window and slice, so that a run of seconds can meet alerts made for hours; thresholds stay as they are.
 */
export function createBurnRateEvaluator(
  objective: Objective,
  options: { windowScale: number; policies?: readonly BurnRatePolicy[] },
): BurnRateEvaluator {
  const scaled = (windowMs: number) => windowMs / options.windowScale
  const policies = policiesFor(objective, options.policies)
  const { slices } = objective
  const slicing = slices && new Slicing({ ...slices, windowMs: scaled(slices.windowMs) })
  const firing = new Set<BurnRatePolicy>()
  const { windowMs } = objective
  const kept = policies.length > 0 ? policies : [{ shortWindowMs: windowMs / 12, longWindowMs: windowMs }]
  const history = new History(kept.map(each => scaledWindows(each, scaled)))
  const increases = new Increases()

  const holds = (policy: BurnRatePolicy): boolean => {
    const short = history.over(scaled(policy.shortWindowMs))
    const long = history.over(scaled(policy.longWindowMs))
    const threshold = burnRateThreshold(policy, objective)
    return errorRatio(short) > threshold && errorRatio(long) > threshold && long.bad >= badEventsNeeded(objective)
  }

  return {
    observe(at, counters) {
      if (!history.accepts(at)) return []
      const increase = increases.take(counters)
      history.add(at, slicing ? slicing.take(at, increase) : increase)
      return policies.flatMap((policy): AlertTransition[] => {
        const now = holds(policy)
        if (now === firing.has(policy)) return []
        if (now) firing.add(policy)
        else firing.delete(policy)
        const { severity, window } = policy
        return [{ at, objective: objective.name, severity, window, state: now ? 'firing' : 'resolved' }]
      })
    },
    state() {
      const severities = new Set([...firing].map(policy => policy.severity))
      return { page: severities.has('page'), ticket: severities.has('ticket') }
    },
    events: windowMs => history.over(scaled(windowMs)),
    burnRate(windowMs) {
      const events = history.over(scaled(windowMs))
      return events.total === 0 ? null : errorRatio(events) / errorBudget(objective)
    },
  }
}

interface Windows {
  shortWindowMs: number
  longWindowMs: number
}

function scaledWindows({ shortWindowMs, longWindowMs }: Windows, scaled: (ms: number) => number): Windows {
  return { shortWindowMs: scaled(shortWindowMs), longWindowMs: scaled(longWindowMs) }
}

function errorRatio(events: { bad: number; total: number }): number {
  return events.total === 0 ? 0 : events.bad / events.total
}

/** Turns events into slices of time: one is over with the first observation at its end or later. */
class Slicing {
  readonly #slices: Slices
  #beganAt: number | undefined
  #within: Counters = { good: 0, total: 0 }

  constructor(slices: Slices) {
    this.#slices = slices
  }

  take(at: number, { good, total }: Counters): Counters {
    this.#beganAt ??= at
    this.#within = { good: this.#within.good + good, total: this.#within.total + total }
    if (at - this.#beganAt < this.#slices.windowMs) return { good: 0, total: 0 }
    const within = this.#within
    this.#beganAt = at
    this.#within = { good: 0, total: 0 }
    if (within.total === 0) return { good: 0, total: 0 }
    const errors = 1 - within.good / within.total
    const { target } = this.#slices
    return { good: target === undefined ? 1 - errors : isBadSlice(errors, target) ? 0 : 1, total: 1 }
  }
}

/** Cumulative events over time, as far back as the longest window and as fine as a hundredth of the shortest. */
class History {
  readonly #points: Point[] = []
  readonly #spanMs: number
  readonly #stepMs: number

  constructor(windows: Windows[]) {
    this.#spanMs = Math.max(...windows.map(window => window.longWindowMs))
    this.#stepMs = Math.min(...windows.map(window => window.shortWindowMs / 100))
  }

  accepts(at: number): boolean {
    const last = this.#points.at(-1)
    return last === undefined || at > last.at
  }

  add(at: number, { good, total }: Counters): void {
    const last = this.#points.at(-1) ?? { at, bad: 0, total: 0 }
    const point = { at, bad: last.bad + total - good, total: last.total + total }
    const beforeLast = this.#points.at(-2)
    if (beforeLast && at - beforeLast.at < this.#stepMs) this.#points.pop()
    this.#points.push(point)
    const outdated = this.#points.findIndex(one => one.at > at - this.#spanMs) - 1
    // Rarely, so that a long run does not move the whole array at every observation.
    if (outdated > 64 && outdated > this.#points.length / 2) this.#points.splice(0, outdated)
  }

  /** The events since the last point at or before the window's start: never less than one observation's. */
  over(windowMs: number): { bad: number; total: number } {
    const last = this.#points.at(-1)
    const first = last && (this.#lastAtOrBefore(last.at - windowMs) ?? this.#points[0])
    return last && first ? { bad: last.bad - first.bad, total: last.total - first.total } : { bad: 0, total: 0 }
  }

  #lastAtOrBefore(at: number): Point | undefined {
    let [low, high] = [0, this.#points.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#points[middle]!.at <= at) low = middle + 1
      else high = middle
    }
    return this.#points[low - 1]
  }
}

/** Turns cumulative counters into increases that are never negative. */
class Increases {
  readonly #last = new Map<string, Counters>()

  take(counters: Counters | Record<string, Counters>): Counters {
    if (isSum(counters)) return this.#one('', counters, { good: 0, total: 0 })
    const increase = { good: 0, total: 0 }
    for (const [instance, now] of Object.entries(counters)) {
      const { good, total } = this.#one(`/${instance}`, now, now)
      increase.good += good
      increase.total += total
    }
    return increase
  }

  #one(key: string, now: Counters, afterReset: Counters): Counters {
    const last = this.#last.get(key)
    this.#last.set(key, { ...now })
    if (!last) return { good: 0, total: 0 }
    if (now.total < last.total) return afterReset
    const total = now.total - last.total
    return { good: Math.min(total, Math.max(0, now.good - last.good)), total }
  }
}

function isSum(counters: Counters | Record<string, Counters>): counters is Counters {
  return typeof counters.total === 'number' && typeof counters.good === 'number'
}
