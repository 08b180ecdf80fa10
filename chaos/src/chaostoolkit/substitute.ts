/** What `${name}` may stand for. */
export type Values = Readonly<Record<string, unknown>>

const inText = /\$\{([\w.-]+)\}/g
const alone = /^\$\{([\w.-]+)\}$/

/**
 * The value with every `${name}` replaced: one that stands alone keeps its type, one inside of a text becomes text. A name that is
 * not known is told of, and never left for a shell or a server to make something of it.
 */
export function substitute(value: unknown, values: Values, unknown: (name: string) => void): unknown {
  if (typeof value === 'string') {
    const whole = alone.exec(value)?.[1]
    if (whole !== undefined) return look(whole, values, unknown)
    return value.replace(inText, (_, name: string) => asText(look(name, values, unknown)))
  }
  if (Array.isArray(value)) return value.map(each => substitute(each, values, unknown))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, substitute(each, values, unknown)]))
}

function look(name: string, values: Values, unknown: (name: string) => void): unknown {
  if (Object.hasOwn(values, name)) return values[name]
  unknown(name)
  return ''
}

const asText = (value: unknown): string =>
  typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value)
