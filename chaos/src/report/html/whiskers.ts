import { type Markup, markup } from '../markup.ts'
import type { ObjectiveReport } from '../model.ts'
import { percent } from '../units.ts'

/** The interval as a whisker, the measured ratio as its dot, the target as a line: which side it is on is the verdict. */
export function whiskers(objective: ObjectiveReport): Markup {
  const { interval, ratio, target, total } = objective
  if (total === 0 || !interval.every(Number.isFinite)) return markup`<span class="muted">nothing was counted</span>`
  const [low, high] = interval
  const least = Math.min(low, target, ratio)
  const left = Math.max(0, least - Math.max(0.0005, 1 - least) * 0.18)
  const x = (value: number) => `${(4 + ((value - left) / (1 - left)) * 92).toFixed(2)}%`
  const targetShare = (target - left) / (1 - left)
  const anchor = targetShare > 0.7 ? 'end' : targetShare < 0.3 ? 'start' : 'middle'
  const name = `The 95% interval is ${percent(low)} to ${percent(high)}, measured ${percent(ratio)}; the target is ${percent(target)}.`
  return markup`<svg class="whiskers ${objective.verdict}" height="44" role="img" aria-label="${name}"><title>${name}</title><g aria-hidden="true"><line class="rail" x1="0" x2="100%" y1="26" y2="26"/><line class="target" x1="${x(target)}" x2="${x(target)}" y1="14" y2="38"/><text class="tick" x="${x(target)}" y="10" text-anchor="${anchor}">target ${percent(target)}</text><line class="range" x1="${x(low)}" x2="${x(high)}" y1="26" y2="26"/><line class="range" x1="${x(low)}" x2="${x(low)}" y1="20" y2="32"/><line class="range" x1="${x(high)}" x2="${x(high)}" y1="20" y2="32"/><circle class="ratio" cx="${x(ratio)}" cy="26" r="4"/></g></svg>`
}
