/** UCUM's units, as OpenTelemetry's Prometheus compatibility rules spell them. */
const units: Record<string, string> = {
  d: 'days',
  h: 'hours',
  min: 'minutes',
  s: 'seconds',
  ms: 'milliseconds',
  us: 'microseconds',
  ns: 'nanoseconds',
  By: 'bytes',
  KiBy: 'kibibytes',
  MiBy: 'mebibytes',
  GiBy: 'gibibytes',
  TiBy: 'tibibytes',
  KBy: 'kilobytes',
  MBy: 'megabytes',
  GBy: 'gigabytes',
  TBy: 'terabytes',
  m: 'meters',
  V: 'volts',
  A: 'amperes',
  J: 'joules',
  W: 'watts',
  g: 'grams',
  Cel: 'celsius',
  Hz: 'hertz',
  '%': 'percent',
}

const per: Record<string, string> = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
}

/** A metric's name on `/metrics`: unit suffix, `_ratio`, `_total`, and only the characters that Prometheus allows. */
export function prometheusName(name: string, unit: string, type: 'counter' | 'gauge' | 'histogram'): string {
  let result = allowed(name)
  const suffix = unit === '1' ? (type === 'gauge' ? 'ratio' : '') : unitWords(unit)
  if (type === 'counter') result = result.replace(/_total$/, '')
  if (suffix !== '' && !result.endsWith(`_${suffix}`)) result += `_${suffix}`
  return type === 'counter' ? `${result}_total` : result
}

/** An attribute's name as a label. */
export function labelName(key: string): string {
  return allowed(key)
}

function unitWords(unit: string): string {
  const [amount = '', time = ''] = unit.replaceAll(/\{[^}]*\}/g, '').split('/')
  const words = [units[amount] ?? amount, time && `per_${per[time] ?? time}`].filter(word => word !== '')
  return allowed(words.join('_'), '').replaceAll(/^_|_$/g, '')
}

function allowed(text: string, beforeDigit = '_'): string {
  const safe = text.replaceAll(/[^a-zA-Z0-9_]+/g, '_').replaceAll(/_{2,}/g, '_')
  return /^\d/.test(safe) ? beforeDigit + safe : safe
}
