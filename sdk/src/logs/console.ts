import { format } from 'node:util'
import { activeSpan } from './ids.ts'
import type { LogLines } from './lines.ts'

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const
type Method = (typeof methods)[number]

/**
 * Lines of `console`, too, tell their trace: a JSON object in its members, any other line at its end. Outside of a span
 * they only lose what is to be withheld. Without `ids` they stay as they are, and are only sent.
 */
export function watchConsole(lines: LogLines, ids: boolean): void {
  for (const method of methods) {
    const original = console[method]
    console[method] = function (this: unknown, ...given: unknown[]) {
      const told = tell(lines, method, given)
      return Reflect.apply(original, this, ids ? told : given)
    }
  }
}

function tell(lines: LogLines, method: Method, given: unknown[]): unknown[] {
  if (given.length === 0) return given
  const [only] = given
  if (given.length === 1 && typeof only === 'string' && only.startsWith('{') && only.endsWith('}'))
    return [lines.json('console', only)]
  const clean = given.map(value => lines.redaction.value(value))
  const span = activeSpan()
  lines.records?.text(method, format(...clean), span)
  return span ? [...clean, `trace_id=${span.traceId} span_id=${span.spanId}`] : clean
}
