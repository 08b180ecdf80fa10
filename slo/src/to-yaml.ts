/**
 * Plain data as YAML, for files of many megabytes: a library that keeps comments and styles takes ten times as long. Strings
 * are quoted wherever there could be a doubt, and several lines are a literal block.
 */
export function toYaml(data: object): string {
  const lines: string[] = []
  write(data, '', lines)
  return `${lines.join('\n')}\n`
}

type Data = string | number | boolean | null | undefined | readonly Data[] | { readonly [key: string]: Data }

/** `lead` stands before the first line of what is written, and as many spaces before every other. */
function write(data: object, lead: string, lines: string[]): void {
  const indent = ' '.repeat(lead.length)
  let before = lead
  for (const [key, value] of Object.entries(data) as [string, Data][]) {
    if (value === undefined && !Array.isArray(data)) continue
    const name = Array.isArray(data) ? '-' : `${text(key, '')}:`
    if (typeof value !== 'object' || value === null) lines.push(`${before}${name} ${scalar(value, indent)}`)
    else if (Object.keys(value).length === 0) lines.push(`${before}${name} ${Array.isArray(value) ? '[]' : '{}'}`)
    else if (Array.isArray(data)) write(value, `${before}- `, lines)
    else {
      lines.push(`${before}${name}`)
      write(value, `${indent}  `, lines)
    }
    before = indent
  }
}

function scalar(value: string | number | boolean | null | undefined, indent: string): string {
  if (typeof value === 'string') return text(value, indent)
  if (typeof value === 'number' && !Number.isFinite(value))
    return Number.isNaN(value) ? '.nan' : value > 0 ? '.inf' : '-.inf'
  return String(value ?? null)
}

/** What begins like a word or a path, or is a duration or two of them, and could be neither a key nor have a comment. */
const plain = /^(?:[A-Za-z/(](?:(?!: | #)[ -~])*(?<![: ])|\d+[a-z]{1,2}(?:\/\d+[a-z]{1,2})?)$/
/** What YAML 1.1 still takes for a truth or for nothing. */
const meaning = /^(?:y|yes|n|no|on|off|true|false|null)$/i
const printable = /^[\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]*$/

function text(value: string, indent: string): string {
  if (plain.test(value) && !meaning.test(value)) return value
  const parts = value.split('\n')
  if (!parts.every(part => printable.test(part))) return JSON.stringify(value)
  if (parts.length === 1) return value.includes('"') && !value.includes("'") ? `'${value}'` : JSON.stringify(value)
  // A block cannot begin with a space, and loses empty lines at its end.
  if (indent === '' || /^[ \n]|\n$/.test(value)) return JSON.stringify(value)
  return `|-\n${parts.map(part => part && `${indent}  ${part}`).join('\n')}`
}
