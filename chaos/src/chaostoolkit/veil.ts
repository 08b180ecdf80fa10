const hidden = '…'

/** Hides secrets in what is shown or written. */
export type Veil = <T>(value: T) => T

/** Every secret, wherever it turns up: in an answer, an error, a URL, also as it is encoded there. Longer ones first, since one may hold another. */
export function veilOf(secrets: readonly string[]): Veil {
  const forms = secrets.flatMap(secret => [
    secret,
    encodeURIComponent(secret),
    JSON.stringify(secret).slice(1, -1),
    Buffer.from(secret).toString('base64'),
  ])
  const longestFirst = [...new Set(forms)].filter(form => form !== '').sort((a, b) => b.length - a.length)
  const veil = (value: unknown): unknown => {
    if (typeof value === 'string') return longestFirst.reduce((text, form) => text.replaceAll(form, hidden), value)
    if (typeof value === 'number') return longestFirst.includes(String(value)) ? hidden : value
    if (Array.isArray(value)) return value.map(veil)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [veil(key), veil(each)]))
  }
  return veil as Veil
}
