import type { EdgeReport, TraceExample, TraceExampleSpan } from './model.ts'
import { duration, plural } from './units.ts'

/** How long the whole of an example took, in ms. */
export function lengthOf({ spans }: TraceExample): number {
  return Math.max(0, ...spans.map(span => span.startMs + span.durationMs))
}

/** `gateway → orders`, `outside → gateway`. */
export function edgeText({ from, to }: Pick<EdgeReport, 'from' | 'to'>): string {
  return `${from || 'outside'} → ${to}`
}

/** `gateway-1 POST /checkout`; a call has the name of whom it calls in its own span's child, so that the service is enough. */
export function spanText({ service, instance, name, kind }: TraceExampleSpan): string {
  const who = instance.startsWith(`${service}-`) ? instance : service
  return kind === 'client' ? `${who} calls ${name}` : `${who} ${name}`
}

/** `312 ms, 3 spans`. */
export function sizeText(example: TraceExample): string {
  const left = example.left > 0 ? `, and ${example.left} more that are not shown` : ''
  return `${duration(lengthOf(example))}, ${plural(example.spans.length, 'span')}${left}`
}

const levels: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' }

/** A JSON line of a log as people read it: its level and message, and what went wrong; any other line as it is. */
export function logText(text: string): string {
  let line: Record<string, unknown>
  try {
    line = JSON.parse(text)
  } catch {
    return text
  }
  if (typeof line !== 'object' || line === null) return text
  const level = levels[Number(line.level)] ?? String(line.level ?? line.severity ?? '')
  const error = line.err as { message?: unknown } | undefined
  const request = ['http.request.method', 'url.path', 'http.response.status_code', 'error.type', 'duration_ms']
  const facts = request.flatMap(name => (line[name] === undefined ? [] : [String(line[name])]))
  const said = [line.msg ?? line.message, error?.message, facts.join(' ')].filter(Boolean).map(String)
  return said.length === 0 ? text : `${level} ${said.join(': ')}`.trim()
}
