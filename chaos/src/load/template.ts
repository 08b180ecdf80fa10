/** Values that a `${name}` may stand for. */
export type Values = Readonly<Record<string, unknown>>

/** Something with its placeholders found once, so that filling it in costs little for each request. */
export interface Template<T> {
  /** Every `name` that it needs. */
  names: ReadonlySet<string>
  fill(values: Values): T
}

const placeholder = /\$\{([^}]*)\}/g

/** A string with `${name}` in it. */
export function textTemplate(text: string): Template<string> {
  // split with a capture group: literal, name, literal, name, …, literal
  const parts = text.split(placeholder)
  const names = new Set(parts.filter((_, index) => index % 2 === 1))
  if (names.size === 0) return { names, fill: () => text }
  return {
    names,
    fill: values => parts.map((part, index) => (index % 2 === 1 ? String(values[part]) : part)).join(''),
  }
}

/**
 * A JSON value whose strings (not its keys) may hold `${name}`, filled in and written as JSON text. A string that is
 * nothing but one placeholder becomes the value itself, so that a captured number stays a number.
 */
export function jsonTemplate(json: unknown): Template<string> {
  const { names, fill } = valueTemplate(json)
  if (names.size === 0) {
    const text = JSON.stringify(json)
    return { names, fill: () => text }
  }
  return { names, fill: values => JSON.stringify(fill(values)) }
}

function valueTemplate(json: unknown): Template<unknown> {
  if (typeof json === 'string') {
    const whole = /^\$\{([^}]*)\}$/.exec(json)?.[1]
    return whole === undefined ? textTemplate(json) : { names: new Set([whole]), fill: values => values[whole] }
  }
  if (Array.isArray(json)) {
    const items = json.map(valueTemplate)
    return { names: namesOf(items), fill: values => items.map(item => item.fill(values)) }
  }
  if (typeof json === 'object' && json !== null) {
    const entries = Object.entries(json).map(([key, value]) => [key, valueTemplate(value)] as const)
    return {
      names: namesOf(entries.map(([, value]) => value)),
      fill: values => Object.fromEntries(entries.map(([key, value]) => [key, value.fill(values)])),
    }
  }
  return { names: new Set(), fill: () => json }
}

/** All the names of several templates. */
export function namesOf(templates: readonly Template<unknown>[]): Set<string> {
  return new Set(templates.flatMap(template => [...template.names]))
}

/** The value at a path such as `token`, `order.id` or `items.0.sku` of a JSON value; undefined where there is none. */
export function valueAt(json: unknown, path: string): unknown {
  let value = json
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined
    value = (value as Record<string, unknown>)[key]
  }
  return value
}
