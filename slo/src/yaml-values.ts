import { z } from 'zod'
import { expecting } from './yaml-issues.ts'

const unitMs = { w: 604_800_000, d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const
const number = String.raw`\d{1,9}(?:\.\d{1,6})?`
const durationPattern = new RegExp(
  `^(?=\\d)(?:${number}w)?(?:${number}d)?(?:${number}h)?(?:${number}m(?!s))?(?:${number}s)?(?:${number}ms)?$`,
)
const percentagePattern = new RegExp(`^${number}\\s?%$`)
const ratePattern = new RegExp(`^${number}\\s?/\\s?(?:s|m|h)$`)

/** `500ms`, `5s`, `1h30m`, `30d` in ms; `undefined` for anything else. Units stand from the greatest to the smallest. */
export function parseDuration(text: string): number | undefined {
  if (!durationPattern.test(text)) return undefined
  let sum = 0
  for (const [, amount, unit] of text.matchAll(/([\d.]+)(ms|[wdhms])/g)) {
    sum += Number(amount) * unitMs[unit as keyof typeof unitMs]
  }
  return Number(sum.toPrecision(12))
}

/** A window that OpenSLO can write down, in ms: whole minutes, from one to 366 days. */
export function parseWindow(text: string): number | undefined {
  const ms = parseDuration(text)
  return ms !== undefined && ms > 0 && ms % unitMs.m === 0 && ms <= 366 * unitMs.d ? ms : undefined
}

/** A duration for people, e.g. `1 m 5 s` as `1m5s`; the inverse of `parseDuration` for whole ms. */
export function formatDuration(ms: number): string {
  let rest = Math.round(ms)
  if (rest <= 0) return '0s'
  let text = ''
  for (const [unit, size] of Object.entries(unitMs)) {
    if (unit === 'w' || rest < size) continue
    text += `${Math.floor(rest / size)}${unit}`
    rest %= size
  }
  return text
}

/** A ratio as a percentage, without the noise of binary fractions, e.g. `99.9 %`. */
export function formatPercentage(ratio: number): string {
  return `${Number((ratio * 100).toPrecision(12))} %`
}

const aDuration = 'a duration such as "500ms", "5s" or "1h30m"'

/** Text such as `5s`, read as ms. `atLeastMs` is the smallest that makes sense (0 where not given). */
export function duration(options: { atLeastMs?: number } = {}) {
  const { atLeastMs = 0 } = options
  const tooShort = `expected a duration of at least ${atLeastMs} ms`
  return z
    .string({ error: expecting(aDuration) })
    .regex(durationPattern, { error: expecting(aDuration) })
    .meta({ examples: ['500ms', '5s', '1h30m'] })
    .transform(text => parseDuration(text) ?? Number.NaN)
    .refine(ms => ms >= atLeastMs, { error: issue => `${tooShort}, saw ${issue.input} ms` })
    .refine(ms => ms <= 366 * unitMs.d, { error: 'expected a duration of at most 366 days' })
}

const aPercentage = 'a percentage such as "98%"'

/** Text such as `98%`, read as a ratio (0.98), more than 0 % and less than 100 %. */
export function percentage() {
  return z
    .string({ error: expecting(aPercentage) })
    .regex(percentagePattern, { error: expecting(aPercentage) })
    .meta({ examples: ['98%'] })
    .transform(text => Number((Number.parseFloat(text) / 100).toPrecision(12)))
    .refine(ratio => ratio > 0 && ratio < 1, {
      error: issue => `expected more than 0 % and less than 100 %, saw ${formatPercentage(issue.input as number)}`,
    })
}

const aRate = 'a rate such as "60/s" or "300/m"'
const perSecond = { s: 1, m: 60, h: 3600 } as const

/** Text such as `60/s` or `300/m`, read as events a second, more than 0. */
export function rate() {
  return z
    .string({ error: expecting(aRate) })
    .regex(ratePattern, { error: expecting(aRate) })
    .meta({ examples: ['60/s', '300/m'] })
    .transform(text => Number.parseFloat(text) / perSecond[text.at(-1) as keyof typeof perSecond])
    .refine(each => each > 0, { error: 'expected a rate of more than 0' })
}

/** Events a second as `rate` reads them, in the unit in which the number is shortest. */
export function formatRate(ratePerSecond: number): string {
  const texts = Object.entries(perSecond).map(
    ([unit, seconds]) => `${Number((ratePerSecond * seconds).toFixed(6))}/${unit}`,
  )
  return texts.reduce((shortest, text) => (text.length < shortest.length ? text : shortest))
}
