/** One sample of a Prometheus text exposition. */
export interface Sample {
  name: string
  labels: Record<string, string>
  value: number
}

/**
 * The samples of a text exposition (text format 0.0.4 or OpenMetrics 1.0; timestamps and exemplars are passed over) whose
 * names `wanted` accepts. A line that is no sample is skipped: one odd metric must not hide the others.
 */
export function* readSamples(text: string, wanted: (name: string) => boolean): Generator<Sample> {
  for (const line of text.split('\n')) {
    const name = /^\s*([a-zA-Z_:][a-zA-Z0-9_:]*)/.exec(line)
    if (!name?.[1] || !wanted(name[1])) continue
    const labels = readLabels(line, name[0].length)
    if (!labels) continue
    const value = readValue(line.slice(labels.end))
    if (value !== undefined) yield { name: name[1], labels: labels.labels, value }
  }
}

const labelStart = /[\s,]*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"/y
const labelsEnd = /[\s,]*\}/y
const labelText = /((?:[^"\\]|\\.)*)"/y

function readLabels(line: string, from: number): { labels: Record<string, string>; end: number } | undefined {
  const labels: Record<string, string> = Object.create(null)
  const open = /\s*\{/y
  let at = match(open, line, from)?.end
  if (at === undefined) return { labels, end: from }
  for (;;) {
    const closed = match(labelsEnd, line, at)
    if (closed) return { labels, end: closed.end }
    const name = match(labelStart, line, at)
    const value = name && match(labelText, line, name.end)
    if (!name || !value) return undefined
    labels[name.text] = value.text.replaceAll(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char))
    at = value.end
  }
}

function match(pattern: RegExp, line: string, from: number): { text: string; end: number } | undefined {
  pattern.lastIndex = from
  const found = pattern.exec(line)
  return found ? { text: found[1] ?? '', end: pattern.lastIndex } : undefined
}

const value = /^\s*([+-]?(?:Inf|NaN|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?))(?=\s|$)/i

function readValue(rest: string): number | undefined {
  const found = value.exec(rest)?.[1]
  if (found === undefined) return undefined
  return Number(found.replace(/inf/i, 'Infinity').replace(/^[+-]?nan$/i, 'NaN'))
}
