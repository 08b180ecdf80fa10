import type { World } from '../world.ts'
import type { Verdict } from './model.ts'

/** How text for a terminal is dressed. */
export interface Style {
  colour: boolean
  /** Columns to stay within; undefined: as long as it gets. */
  columns: number | undefined
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  magenta(text: string): string
}

/** Colour on a terminal, unless `NO_COLOR` is set; `FORCE_COLOR` brings it anywhere. */
export function styleFor(stream: World['stdout'], env: NodeJS.ProcessEnv): Style {
  const colour = wantsColour(stream, env)
  const dress = (on: number, off: number) => (text: string) => (colour ? `\x1b[${on}m${text}\x1b[${off}m` : text)
  return {
    colour,
    columns: stream.isTTY ? stream.columns || 80 : undefined,
    bold: dress(1, 22),
    dim: dress(2, 22),
    red: dress(31, 39),
    green: dress(32, 39),
    yellow: dress(33, 39),
    magenta: dress(35, 39),
  }
}

function wantsColour(stream: World['stdout'], env: NodeJS.ProcessEnv): boolean {
  if (env.NO_COLOR) return false
  const force = env.FORCE_COLOR
  if (force !== undefined) return force !== '0' && force !== 'false'
  return stream.isTTY === true && env.TERM !== 'dumb'
}

/** The verdict with its mark; the mark differs in shape, not only in colour. */
export function verdictText(verdict: Verdict, style: Style): string {
  if (verdict === 'pass') return style.green('✓ pass')
  if (verdict === 'fail') return style.red('✗ fail')
  if (verdict === 'inconclusive') return style.yellow('? inconclusive')
  return style.magenta('∅ void')
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for.
const controls = /[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g

/** Text of others on one line, with nothing in it that a terminal would obey. */
export function printable(text: string): string {
  return text.replace(controls, ' ')
}

/** The columns that printable text takes. */
export function textWidth(text: string): number {
  let width = 0
  for (const character of text) width += characterWidth(character)
  return width
}

/** Cuts printable text to `columns`, with an ellipsis where something is missing. */
export function cut(text: string, columns: number): string {
  if (textWidth(text) <= columns) return text
  let width = 0
  let kept = ''
  for (const character of text) {
    width += characterWidth(character)
    if (width > columns - 1) break
    kept += character
  }
  return columns > 0 ? `${kept}…` : ''
}

const wide =
  /[\u1100-\u115f\u2e80-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6]|\p{Emoji_Presentation}/u

function characterWidth(character: string): number {
  if (/\p{Mark}|[\u200b-\u200d]/u.test(character)) return 0
  return wide.test(character) ? 2 : 1
}
