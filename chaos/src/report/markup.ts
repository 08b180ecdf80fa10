/** Text that is already HTML or XML. Only {@link markup} makes it, so nothing reaches a document unescaped. */
export class Markup {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  toString(): string {
    return this.text
  }
}

export type MarkupValue = Markup | string | number | null | undefined | false | readonly MarkupValue[]

/** A template whose values are escaped unless they are markup themselves; lists are joined, `false` and absence vanish. */
export function markup(strings: TemplateStringsArray, ...values: MarkupValue[]): Markup {
  let text = strings[0] ?? ''
  values.forEach((value, index) => {
    text += render(value) + strings[index + 1]
  })
  return new Markup(text)
}

function render(value: MarkupValue): string {
  if (value === null || value === undefined || value === false) return ''
  if (value instanceof Markup) return value.text
  if (typeof value === 'object') return value.map(render).join('')
  return escapeText(String(value))
}

const entities: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
}

/** What XML 1.0 cannot carry in any form: most control characters, lone surrogates, U+FFFE and U+FFFF. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const unspeakable = /[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Surrogate}/gu

/** Safe as text and as a quoted attribute, in HTML and XML alike; what XML cannot carry becomes U+FFFD. */
export function escapeText(text: string): string {
  return text.replace(unspeakable, '\ufffd').replace(/[&<>"'\t\n\r]/g, character => entities[character]!)
}
