/** A body that does not fit; the message names the field, what was seen and what was expected. */
export class FieldError extends Error {
  override name = 'FieldError'
}

/** Reads a JSON object field by field, and refuses fields that nobody read. */
export class Fields {
  readonly #object: Record<string, unknown>
  readonly #path: string
  readonly #read = new Set<string>()

  /** `path` is the place of the object in the body, '' for the body itself. */
  constructor(value: unknown, path = '') {
    this.#path = path
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw new FieldError(`${path || 'body'}: expected an object, saw ${seen(value)}`)
    this.#object = value as Record<string, unknown>
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#object, name)
  }

  number(name: string, { min = -Infinity, max = Infinity, integer = false } = {}): number {
    const value = this.#take(name)
    if (typeof value !== 'number' || !(value >= min && value <= max) || (integer && !Number.isInteger(value)))
      throw this.#wrong(name, `${integer ? 'an integer' : 'a number'} from ${min} to ${max}`, value)
    return value
  }

  string(name: string, expectation = 'a string', fits: (value: string) => boolean = () => true): string {
    const value = this.#take(name)
    if (typeof value !== 'string' || !fits(value)) throw this.#wrong(name, expectation, value)
    return value
  }

  oneOf<const T extends string>(name: string, values: readonly T[]): T {
    const value = this.#take(name)
    const found = values.find(one => one === value)
    if (found === undefined) throw this.#wrong(name, `one of ${values.join(', ')}`, value)
    return found
  }

  /** One to `most` strings. */
  strings(name: string, most: number, expectation: string, fits: (value: string) => boolean): string[] {
    const value = this.#take(name)
    if (!Array.isArray(value) || value.length < 1 || value.length > most)
      throw this.#wrong(name, `a list of 1 to ${most}, each ${expectation}`, value)
    return value.map((item, i) => {
      if (typeof item !== 'string' || !fits(item)) throw this.#wrong(`${name}[${i}]`, expectation, item)
      return item
    })
  }

  /** One to `most` texts by name. */
  texts(name: string, most: number, expectation: string, fits: (key: string) => boolean): Record<string, string> {
    const value = this.#take(name)
    const entries = typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []
    if (entries.length < 1 || entries.length > most)
      throw this.#wrong(name, `an object of 1 to ${most} texts, each by ${expectation}`, value)
    for (const [key, text] of entries) {
      if (!fits(key)) throw this.#wrong(name, expectation, key)
      if (typeof text !== 'string') throw this.#wrong(`${name}.${key}`, 'a text', text)
    }
    return Object.fromEntries(entries)
  }

  object(name: string): Fields {
    return new Fields(this.#take(name), this.#at(name))
  }

  /** To be called last: a misspelt field must not be taken for an absent one. */
  done(): void {
    for (const name of Object.keys(this.#object))
      if (!this.#read.has(name))
        throw new FieldError(`${this.#at(clipped(name))}: unknown field, expected ${[...this.#read].join(', ')}`)
  }

  #take(name: string): unknown {
    this.#read.add(name)
    return this.has(name) ? this.#object[name] : undefined
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`
  }

  #wrong(name: string, expectation: string, value: unknown): FieldError {
    return new FieldError(`${this.#at(name)}: expected ${expectation}, saw ${seen(value)}`)
  }
}

function seen(value: unknown): string {
  if (value === undefined) return 'nothing'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value === 'object' && value !== null) return 'an object'
  return clipped(JSON.stringify(value))
}

const clipped = (text: string) => (text.length > 40 ? `${text.slice(0, 40)}…` : text)
