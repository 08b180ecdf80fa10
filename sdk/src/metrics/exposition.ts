import type { Exemplar, Metric } from './metric.ts'

export interface Sample {
  name: string
  labels: Record<string, string | number>
  value: number
  exemplar?: Exemplar | undefined
}

/** One metric with all its samples, as both text formats need it. */
export interface Family {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram' | 'summary' | 'unknown'
  samples: Sample[]
  /** Measured by the SDK itself. */
  own?: true
  /** What it was before it got Prometheus' names, where it came through the Meter API. */
  measured?: Metric[]
}

export type Format = 'text' | 'openmetrics'

export const contentType: Record<Format, string> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
}

/** The format that an `Accept` header prefers: OpenMetrics where it is asked for, the plain text format otherwise. */
export function negotiate(accept: string | undefined): Format {
  let best = { format: 'text' as Format, weight: 0 }
  for (const range of (accept ?? '').split(',')) {
    const [type = '', ...parameters] = range.split(';').map(part => part.trim().toLowerCase())
    const format = type === 'application/openmetrics-text' ? 'openmetrics' : 'text'
    if (format === 'text' && !['text/plain', 'text/*', '*/*'].includes(type)) continue
    const version = parameters.find(parameter => parameter.startsWith('version='))?.slice('version='.length)
    if (format === 'openmetrics' && version !== undefined && !['1.0.0', '0.0.1'].includes(version)) continue
    const weight = Number(parameters.find(parameter => parameter.startsWith('q='))?.slice(2) ?? 1)
    if (weight > best.weight) best = { format, weight }
  }
  return best.format
}

/** Writes families in one of the formats; exemplars stand only in OpenMetrics. */
export function render(families: readonly Family[], format: Format): string {
  const lines: string[] = []
  for (const family of families) {
    const { name, type } = described(family, format)
    lines.push(`# HELP ${name} ${escapeHelp(family.help, format)}`, `# TYPE ${name} ${type}`)
    for (const sample of family.samples) lines.push(sampleLine(sample, format))
  }
  if (format === 'openmetrics') lines.push('# EOF')
  return `${lines.join('\n')}\n`
}

function described(family: Family, format: Format): { name: string; type: string } {
  if (format === 'text') return { name: family.name, type: family.type === 'unknown' ? 'untyped' : family.type }
  if (family.type !== 'counter') return family
  // OpenMetrics counters must end in _total. One that does not keeps its name in both formats, as `unknown`.
  return family.name.endsWith('_total')
    ? { name: family.name.slice(0, -'_total'.length), type: 'counter' }
    : { name: family.name, type: 'unknown' }
}

function sampleLine(sample: Sample, format: Format): string {
  const line = `${sample.name}${labelSet(sample.labels)} ${number(sample.value)}`
  const exemplar = format === 'openmetrics' ? sample.exemplar : undefined
  if (!exemplar) return line
  return `${line} # ${labelSet(exemplar.labels) || '{}'} ${number(exemplar.value)} ${exemplar.timestamp.toFixed(3)}`
}

function labelSet(labels: Record<string, string | number>): string {
  const pairs = Object.entries(labels).map(([key, value]) => `${key}="${escapeValue(String(value))}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

function escapeValue(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}

function escapeHelp(text: string, format: Format): string {
  const escaped = text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')
  return format === 'openmetrics' ? escaped.replaceAll('"', '\\"') : escaped
}

function number(value: number): string {
  if (value === Number.POSITIVE_INFINITY) return '+Inf'
  if (value === Number.NEGATIVE_INFINITY) return '-Inf'
  return String(value)
}
