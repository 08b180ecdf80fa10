import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Notice } from './notice.ts'

/** The environment as it is handed in: strings by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** What a setting is called where it was set, when that is not the name of its variable: its place in a file. */
export type Places = ReadonlyMap<string, string>

const pemForms = {
  certificate: (pem: Buffer) => new X509Certificate(pem),
  'private key': (pem: Buffer) => createPrivateKey(pem),
} as const

/** Reads settings one by one. What cannot be used is refused in one plain line, and the default is used. */
export class EnvironmentReader {
  readonly notice: Notice
  readonly #env: Environment
  readonly #places: Places

  constructor(env: Environment, notice: Notice, places: Places = new Map()) {
    this.#env = env
    this.#places = places
    this.notice = notice
  }

  /** An empty value counts as absent, as OpenTelemetry says. */
  text(name: string): string | undefined {
    const value = this.#env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }

  refuse(name: string, seen: string, expected: string, used: string | number): void {
    this.notice(`${this.called(name)}=${seen} cannot be used: expected ${expected}; using ${used}`)
  }

  called(name: string): string {
    return this.#places.get(name) ?? name
  }

  choice<Name extends string>(name: string, names: readonly Name[], otherwise: Name): Name {
    const seen = this.text(name)
    if (seen === undefined) return otherwise
    const found = names.find(candidate => candidate === seen.toLowerCase())
    if (found === undefined) this.refuse(name, seen, names.join(', '), otherwise)
    return found ?? otherwise
  }

  number(name: string, otherwise: number, range: { from: number; to: number; whole?: boolean }): number {
    const seen = this.text(name)
    if (seen === undefined) return otherwise
    const value = Number(seen)
    if (value >= range.from && value <= range.to && (!range.whole || Number.isInteger(value))) return value
    this.refuse(name, seen, `a ${range.whole ? 'whole ' : ''}number from ${range.from} to ${range.to}`, otherwise)
    return otherwise
  }

  whole(name: string, otherwise: number): number {
    return this.number(name, otherwise, { from: 0, to: 2_147_483_647, whole: true })
  }

  /** ms; with 0 nothing could ever be sent. */
  timeout(name: string, otherwise: number): number {
    return this.number(name, otherwise, { from: 1, to: 2_147_483_647, whole: true })
  }

  /** Names with commas between them; `none` and what is not known leave nothing. */
  list<Name extends string>(name: string, names: readonly Name[], otherwise: readonly Name[]): Name[] {
    const text = this.text(name)
    if (text === undefined) return [...otherwise]
    const seen = text.split(',').map(one => one.trim().toLowerCase())
    const chosen = seen.filter((one): one is Name => names.some(known => known === one))
    for (const one of seen) {
      if (one === 'none' || one === '' || chosen.some(known => known === one)) continue
      this.refuse(name, one, `${names.join(', ')} or none`, chosen.join(',') || otherwise.join(','))
    }
    return chosen.length > 0 || seen.includes('none') ? chosen : [...otherwise]
  }

  /** A file that holds a certificate or a key. */
  pem(name: string, form: keyof typeof pemForms): Buffer | undefined {
    const path = this.text(name)
    if (path === undefined) return undefined
    try {
      const pem = readFileSync(path)
      pemForms[form](pem)
      return pem
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      this.refuse(name, path, `the path of a file with a ${form} in PEM (${code ?? message})`, 'none')
      return undefined
    }
  }

  /** With `scheme`, an address that names none (`collector:4317`) gets that one. */
  url(name: string, scheme?: string): string | undefined {
    const given = this.text(name)
    if (given === undefined) return undefined
    const seen = scheme !== undefined && !/^\w+:\/\//.test(given) ? `${scheme}://${given}` : given
    if (URL.canParse(seen) && /^https?:$/.test(new URL(seen).protocol)) return seen
    this.refuse(name, seen, 'an http or https URL', 'the default')
    return undefined
  }

  /** `key=value,key=value`, percent-encoded. */
  pairs(name: string): Record<string, string> {
    const result: Record<string, string> = {}
    for (const pair of (this.text(name) ?? '').split(',')) {
      if (pair.trim() === '') continue
      const at = pair.indexOf('=')
      try {
        if (at <= 0) throw new URIError('no key')
        result[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim())
      } catch {
        // A header may hold a secret: name the variable, never the value.
        this.notice(
          `${this.called(name)} has a member that cannot be used: expected key=value, percent-encoded; leaving it out`,
        )
      }
    }
    return result
  }
}
