/** The patterns that every edge of the shop may use, each of which can be switched off and on while it runs. */
export const patterns = ['timeout', 'retry', 'breaker', 'bulkhead', 'fallback', 'rate-limit'] as const
export type Pattern = (typeof patterns)[number]

/** Which patterns are on. `RESILIENCE` says so at the start; `PUT /resilience` afterwards. */
export class Resilience {
  #on: ReadonlySet<Pattern>

  constructor(setting = 'on') {
    this.#on = parse(setting)
  }

  has(pattern: Pattern): boolean {
    return this.#on.has(pattern)
  }

  /** `on`, `off`, or the patterns that are on, comma-separated. Throws on an unknown name and changes nothing then. */
  set(setting: string): void {
    this.#on = parse(setting)
  }

  toJSON(): Record<Pattern, boolean> {
    return Object.fromEntries(patterns.map(each => [each, this.has(each)])) as Record<Pattern, boolean>
  }
}

function parse(setting: string): ReadonlySet<Pattern> {
  if (setting === 'on') return new Set(patterns)
  if (setting === 'off') return new Set()
  const names = setting.split(',').map(each => each.trim())
  const isPattern = (name: string): name is Pattern => patterns.some(each => each === name)
  const unknown = names.filter(name => !isPattern(name))
  if (unknown.length > 0) {
    throw new Error(`resilience: saw "${unknown.join(', ')}", expected on, off or some of ${patterns.join(', ')}`)
  }
  return new Set(names.filter(isPattern))
}

/** This process' own switches. */
export const resilience = new Resilience(process.env.RESILIENCE)
