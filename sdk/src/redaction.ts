import { isPlainPath } from './plain-path.ts'

export interface RedactionOptions {
  /** Passwords, tokens, keys, cookies: by the name of their member, and by their look wherever they stand. */
  credentials: boolean
  /** Numbers of payment cards: of a known issuer, with a check digit that fits. */
  cards: boolean
  emails: boolean
  /** More names whose values are withheld; case, `-`, `_` and `.` do not count. */
  names: readonly string[]
}

const withheld = 'REDACTED'

/** A name that ends so, whatever stands before it: `x-api-key`, `accessToken`, `http.request.header.set-cookie`. */
const secretEndings = [
  ...['authorization', 'cookies?', 'api[-_.]?keys?', 'access[-_.]?keys?', 'private[-_.]?keys?', 'token', 'secrets?'],
  ...['password', 'passwd', 'pwd', 'passphrase', 'credentials?', 'cvv', 'cvc', 'session[-_.]?id'],
]

/** Query members that are keys or signatures of a signed URL (OpenTelemetry semantic conventions). */
const signedUrl = ['AWSAccessKeyId', 'Signature', 'sig', 'X-Goog-Signature', 'X-Amz-Signature', 'X-Amz-Credential']

/** `Bearer …`, `Basic …`, a JSON web token, `//user:password@`. */
const credentials: readonly [RegExp, string][] = [
  [/\b(bearer|basic)(\s+)[\w.~+/=-]{6,}/gi, `$1$2${withheld}`],
  [/\beyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*/g, withheld],
  [/(\/\/)[^\s/:@"'\\]+:[^\s/@"'\\]+@/g, `$1${withheld}:${withheld}@`],
]
const authenticating = /\b(?:bearer|basic)\s/i
const manyDigits = /(?<!\d)[2-6]\d{3}[ -]?\d{4,6}[ -]?\d{4}/
const cardLike = /(?<![\w.])[2-6]\d{3}(?:[ -]?\d){9,15}(?!\w)/g
const issuers =
  /^(?:4\d{12}(?:\d{3}){0,2}|(?:5[1-5]|2[2-7])\d{14}|3[47]\d{13}|35\d{14}|3[068]\d{12}|6(?:011|5\d\d|4[4-9]\d|2\d\d)\d{12})$/
const emailLike = /[\w.+-]+(?:@|%40)[\w-]+(?:\.[\w-]+)+/g

/** A name with what follows it, a value, or a bracket: enough of JSON to leave all else as it is written. */
const jsonTokens = /"((?:[^"\\]|\\.)*)"(\s*:\s*)?|-?\d[\w.+-]*|[[\]{}]/g

/** The one policy of what must not leave the process, for spans, log lines and URLs alike. */
export class Redaction {
  readonly #names: RegExp | undefined
  readonly #members: RegExp | undefined
  readonly #headers: RegExp | undefined
  readonly #query: RegExp | undefined
  readonly #named: RegExp | undefined
  readonly #options: RedactionOptions

  constructor(options: RedactionOptions) {
    this.#options = options
    const endings = [
      ...(options.credentials ? secretEndings : []),
      ...options.names.map(name => [...name.replace(/[-_.]/g, '')].map(escapeRegExp).join('[-_.]?')),
    ]
    const any = endings.join('|')
    if (any) {
      this.#names = new RegExp(`(?:${any})$`, 'i')
      this.#members = new RegExp(`((?:${any})(?:\\\\*["']\\s*:\\s*\\\\*["']|=))[^\\s"'&#,;\\\\})\\]]+`, 'gi')
      this.#headers = /(\b[\w-]*(?:authorization|cookie|api-key):[ \t]+)[^\r\n"\\]+/gi
      this.#query = new RegExp(`((?:^|&)(?:[\\w.%-]*(?:${any})|${signedUrl.join('|')})=)[^&]*`, 'gi')
    }
    if (any) this.#named = new RegExp(`(?:${any})(?:\\\\*["']?\\s*[:=])`, 'i')
  }

  /** Whether what stands under this name is withheld, whatever it is. */
  hides(name: string): boolean {
    return this.#names?.test(name) ?? false
  }

  /** Free text without what looks like a secret. */
  text(text: string): string {
    if (!this.#isSuspicious(text)) return text
    const { credentials: keys, cards, emails } = this.#options
    let shown = text
    if (keys) for (const [pattern, instead] of credentials) shown = shown.replace(pattern, instead)
    if (this.#members) shown = shown.replace(this.#members, `$1${withheld}`)
    if (this.#headers) shown = shown.replace(this.#headers, `$1${withheld}`)
    if (cards) shown = shown.replace(cardLike, digits => (isCard(digits.replace(/\D/g, '')) ? withheld : digits))
    if (emails) shown = shown.replace(emailLike, withheld)
    return shown
  }

  /** A line of JSON; what is not withheld stays as it is written, to the byte. */
  json(line: string): string {
    if (!this.#isSuspicious(line)) return line
    let shown = ''
    let copied = 0
    jsonTokens.lastIndex = 0
    for (let token = jsonTokens.exec(line); token; token = jsonTokens.exec(line)) {
      const [whole, content, colon] = token
      const end = jsonTokens.lastIndex
      if (colon !== undefined) {
        if (!this.hides(content!)) continue
        const past = endOfValue(line, end)
        shown += `${line.slice(copied, end)}"${withheld}"`
        copied = jsonTokens.lastIndex = past
      } else if (content !== undefined || /^[-\d]/.test(whole)) {
        const plain = content ?? whole
        const clean = this.text(plain)
        if (clean === plain) continue
        shown += `${line.slice(copied, token.index)}"${clean}"`
        copied = end
      }
    }
    return shown + line.slice(copied)
  }

  /** The same for a value that is not written yet. What is clean is returned itself, never copied. */
  value<Value>(value: Value, depth = 4): Value {
    if (typeof value === 'string') return this.text(value) as Value
    if (depth === 0 || typeof value !== 'object' || value === null) return value
    if (Array.isArray(value)) {
      const shown = value.map(item => this.value(item, depth - 1))
      return shown.some((item, at) => item !== value[at]) ? (shown as Value) : value
    }
    if (!isPlain(value) && !(value instanceof Error)) return value
    let copy: Record<string, unknown> | undefined
    for (const [name, item] of Object.entries(value)) {
      const shown = item !== undefined && this.hides(name) ? withheld : this.value(item, depth - 1)
      if (shown === item) continue
      copy ??= Object.assign(Object.create(Object.getPrototypeOf(value)), value)
      copy![name] = shown
    }
    if (value instanceof Error) {
      const { message, stack = '' } = value
      const [shownMessage, shownStack] = [this.text(message), this.text(stack)]
      if (copy || shownMessage !== message || shownStack !== stack) {
        copy ??= Object.assign(Object.create(Object.getPrototypeOf(value)), value)
        for (const [name, shown] of Object.entries({ message: shownMessage, stack: shownStack }))
          Object.defineProperty(copy, name, { value: shown, configurable: true, writable: true })
      }
    }
    return (copy as Value | undefined) ?? value
  }

  /** An attribute of a span, an event or a link. */
  attribute<Value>(name: string, value: Value): Value | string {
    return this.hides(name) ? withheld : this.value(value)
  }

  /** A URL's path. */
  path(path: string): string {
    return !isPlainPath(path) && /[=:@%]|eyJ|\d{12}/.test(path) ? this.text(path) : path
  }

  /** The query, without its `?`, as `url.query` may show it. */
  query(query: string): string {
    return this.text(this.#query ? query.replace(this.#query, `$1${withheld}`) : query)
  }

  /** The URL as `url.full` may show it: no credentials, no signatures. */
  url(url: URL): string {
    if (!url.search && !url.username && !url.password) return this.text(url.href)
    const shown = new URL(url)
    if (this.#options.credentials) {
      if (shown.username) shown.username = withheld
      if (shown.password) shown.password = withheld
    }
    if (shown.search) shown.search = this.query(shown.search.slice(1))
    return this.text(shown.href)
  }

  /** Nearly every line is clean: a look of about 1 µs tells. */
  #isSuspicious(text: string): boolean {
    const { credentials: keys, cards, emails } = this.#options
    if (this.#named?.test(text)) return true
    if (keys && (text.includes('eyJ') || authenticating.test(text))) return true
    if ((keys || emails) && text.includes('@')) return true
    if (emails && text.includes('%40')) return true
    return cards && manyDigits.test(text)
  }
}

function endOfValue(line: string, start: number): number {
  const scalar = /"(?:[^"\\]|\\.)*"|[^,{}[\]\s]+/y
  scalar.lastIndex = start
  if (scalar.test(line)) return scalar.lastIndex
  let depth = 0
  jsonTokens.lastIndex = start
  for (let token = jsonTokens.exec(line); token; token = jsonTokens.exec(line)) {
    if (token[0] === '{' || token[0] === '[') depth++
    else if (token[0] === '}' || token[0] === ']') depth--
    if (depth <= 0) return jsonTokens.lastIndex
  }
  return line.length
}

function isCard(digits: string): boolean {
  if (!issuers.test(digits)) return false
  const sum = [...digits].reverse().reduce((total, digit, at) => {
    const value = at % 2 === 0 ? Number(digit) : Number(digit) * 2
    return total + (value > 9 ? value - 9 : value)
  }, 0)
  return sum % 10 === 0
}

function isPlain(value: object): value is Record<string, unknown> {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}

function escapeRegExp(character: string): string {
  return character.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&')
}
