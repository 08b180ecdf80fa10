/** `–`: nothing was measured. */
export const nothing = '–'

/** A ratio as people read it. Never rounds to 100% or 0% what is not: 0.99996 is `99.996%`. */
export function percent(ratio: number | null): string {
  if (ratio === null || !Number.isFinite(ratio)) return nothing
  const value = ratio * 100
  for (let digits = 1; digits <= 6; digits++) {
    const text = value.toFixed(digits)
    const lied = (Number(text) === 100 && value !== 100) || (Number(text) === 0 && value !== 0)
    if (!lied || digits === 6) return `${trimZeros(text)}%`
  }
  return nothing
}

/** `850 ms`, `2.3 s`, `4 min 10 s`. */
export function duration(ms: number | null): string {
  if (ms === null || !Number.isFinite(ms)) return nothing
  if (ms < 10 && ms !== Math.round(ms)) return `${trimZeros(ms.toFixed(1))} ms`
  if (Math.round(ms) < 1000) return `${Math.round(ms)} ms`
  if (ms < 59_950) return `${trimZeros((ms / 1000).toFixed(ms < 9_995 ? 2 : 1))} s`
  const seconds = Math.round(ms / 1000)
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor((seconds % 3600) / 60), 'min'],
    [seconds % 60, 's'],
  ] as const
  return parts
    .filter(([value]) => value > 0)
    .map(([value, unit]) => `${value} ${unit}`)
    .join(' ')
}

/** `1,234`. */
export function count(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : nothing
}

/** `14×`, `0.3×`: a burn rate; at 1× the budget lasts exactly its window. */
export function times(value: number): string {
  if (!Number.isFinite(value)) return nothing
  return `${trimZeros(value.toFixed(value >= 10 ? 0 : value >= 1 ? 1 : 2))}×`
}

/** `1 request`, `3 requests`. */
export function plural(value: number, noun: string): string {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`
}

function trimZeros(text: string): string {
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}
