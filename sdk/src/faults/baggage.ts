/** The value of a member of a W3C baggage header. */
export function memberOf(baggage: string | undefined, key: string): string | undefined {
  for (const member of (baggage ?? '').split(',')) {
    const [pair = ''] = member.split(';')
    const at = pair.indexOf('=')
    if (pair.slice(0, at).trim() !== key) continue
    const value = pair.slice(at + 1).trim()
    try {
      return decodeURIComponent(value)
    } catch {
      return value
    }
  }
  return undefined
}
