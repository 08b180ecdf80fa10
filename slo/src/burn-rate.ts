import type { Slices } from './objective.ts'
import { parseDuration } from './yaml-values.ts'

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

export type Severity = 'page' | 'ticket'

/** One multi-window burn-rate condition: it fires while the error ratio over both windows exceeds its threshold. */
export interface BurnRatePolicy {
  severity: Severity
  /** e.g. `5m/1h`: how alerts, reports and rules name the condition. */
  window: string
  /** Ends an alert soon after the errors end, in ms. */
  shortWindowMs: number
  /** Proves that the budget is really being spent, in ms. */
  longWindowMs: number
  /** The part of the period's error budget that is gone when it fires, in (0, 1). */
  budgetFraction: number
}

/** The four conditions of the SRE workbook (chapter 5, "Alerting on SLOs"), fastest first. */
export const burnRatePolicies: readonly BurnRatePolicy[] = [
  { severity: 'page', window: '5m/1h', shortWindowMs: 5 * minuteMs, longWindowMs: hourMs, budgetFraction: 0.02 },
  { severity: 'page', window: '30m/6h', shortWindowMs: 30 * minuteMs, longWindowMs: 6 * hourMs, budgetFraction: 0.05 },
  { severity: 'ticket', window: '2h/1d', shortWindowMs: 2 * hourMs, longWindowMs: dayMs, budgetFraction: 0.1 },
  { severity: 'ticket', window: '6h/3d', shortWindowMs: 6 * hourMs, longWindowMs: 3 * dayMs, budgetFraction: 0.1 },
]

/**
 * A condition written as `page:5m/1h:2%`: its severity, its short and its long window, and the part of the budget that is gone
 * when it fires. `undefined` for anything else.
 */
export function parsePolicy(text: string): BurnRatePolicy | undefined {
  const [, severity, short = '', long = '', percent] = /^(page|ticket):(\w+)\/(\w+):([\d.]+)%$/.exec(text) ?? []
  const [shortWindowMs, longWindowMs] = [parseDuration(short), parseDuration(long)]
  const budgetFraction = tidy(Number(percent) / 100)
  if (!shortWindowMs || !longWindowMs || shortWindowMs >= longWindowMs) return undefined
  if (!(budgetFraction > 0 && budgetFraction < 1)) return undefined
  return { severity: severity as Severity, window: `${short}/${long}`, shortWindowMs, longWindowMs, budgetFraction }
}

/**
 * Fewer bad events than this in the long window never alert: one failure among eleven requests is no emergency.
 * The rules for Prometheus and the embedded evaluator use the same number.
 */
export const minimumBadEvents = 5

/** What an alert needs to know of an objective: the promised ratio, the window in ms, and its slices if it counts those. */
export interface Budget {
  target: number
  windowMs: number
  slices?: Slices | undefined
}

/** The bad events that an alert needs; none where slices are counted: low traffic is to weigh as much there. */
export function badEventsNeeded(budget: Pick<Budget, 'slices'>): number {
  return budget.slices ? 0 : minimumBadEvents
}

/** How many times too fast the budget is spent when the condition fires: 14.4 for 5m/1h over 30 days. */
export function burnRateFactor(policy: BurnRatePolicy, windowMs: number): number {
  return tidy((policy.budgetFraction * windowMs) / policy.longWindowMs)
}

/** The error ratio that both windows must exceed: factor * (1 - target). */
export function burnRateThreshold(policy: BurnRatePolicy, budget: Budget): number {
  return tidy(burnRateFactor(policy, budget.windowMs) * errorBudget(budget))
}

/** The ratio of events that may be bad: 1 - target, without the noise of binary fractions. */
export function errorBudget(budget: Pick<Budget, 'target'>): number {
  return tidy(1 - budget.target)
}

/**
 * The conditions that make sense for an objective: those which some error ratio can reach (at a target of 0.9 a 14.4-fold
 * burn would need 144 % errors), whose long window is shorter than the objective's own, and whose short one holds a slice.
 */
export function policiesFor(budget: Budget, policies: readonly BurnRatePolicy[] = burnRatePolicies): BurnRatePolicy[] {
  return policies.filter(
    policy =>
      burnRateThreshold(policy, budget) < 1 &&
      policy.longWindowMs < budget.windowMs &&
      policy.shortWindowMs >= (budget.slices?.windowMs ?? 0),
  )
}

/**
 * How long a constant error ratio lasts before the condition fires, in ms, from a clean start and with steady traffic of
 * `ratePerSecond` events (as much as is needed, where not given). `undefined`: it never does, because the ratio is not over
 * the threshold, or because the long window never holds enough bad events.
 */
export function timeToFire(
  policy: BurnRatePolicy,
  budget: Budget,
  errorRatio: number,
  ratePerSecond = Number.POSITIVE_INFINITY,
): number | undefined {
  const threshold = burnRateThreshold(policy, budget)
  const { slices } = budget
  const badRatio = slices?.target === undefined ? errorRatio : isBadSlice(errorRatio, slices.target) ? 1 : 0
  if (badRatio <= threshold) return undefined
  const untilOverMs = (threshold * policy.longWindowMs) / badRatio
  // Whether a slice is bad is known at its end.
  if (slices) return (Math.floor(untilOverMs / slices.windowMs) + 1) * slices.windowMs
  const untilEnoughMs = (minimumBadEvents / (ratePerSecond * errorRatio)) * 1000
  if (untilEnoughMs > policy.longWindowMs) return undefined
  return Math.max(untilOverMs, untilEnoughMs)
}

/** Whether a slice with such a ratio of errors misses its target. One that meets it exactly is good. */
export function isBadSlice(errorRatio: number, target: number): boolean {
  return errorRatio > sliceThreshold(target)
}

/** A hair over what the target allows: whatever the last bit of a division says. */
export function sliceThreshold(target: number): number {
  return tidy(1 - target + 1e-9)
}

/** Twelve significant digits: 0.001 and not 0.0010000000000000009. */
function tidy(value: number): number {
  return Number(value.toPrecision(12))
}
