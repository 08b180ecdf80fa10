import { activeSpan } from './ids.ts'
import type { LogLines } from './lines.ts'

const methods = ['debug', 'error', 'info', 'log', 'warn'] as const

/**
 * Lines of `console`, too, tell their trace: a JSON object in its members, any other line at its end. Outside of a span
 * they only lose what is to be withheld. Returns what takes this back.
 */
export function watchConsole(lines: LogLines): () => void {
  const originals = methods.map(name => console[name])
  const replacements = originals.map(
    original =>
      function (this: unknown, ...given: unknown[]) {
        return Reflect.apply(original, this, shown(lines, given))
      },
  )
  for (const [at, name] of methods.entries()) console[name] = replacements[at]!
  return () => {
    for (const [at, name] of methods.entries()) if (console[name] === replacements[at]) console[name] = originals[at]!
  }
}

function shown(lines: LogLines, given: unknown[]): unknown[] {
  if (given.length === 0) return given
  const [only] = given
  if (given.length === 1 && typeof only === 'string' && only.startsWith('{') && only.endsWith('}'))
    return [lines.json(only)]
  const clean = given.map(value => (value instanceof Error ? error(lines, value) : lines.redaction.value(value)))
  const span = activeSpan()
  return span ? [...clean, `trace_id=${span.traceId} span_id=${span.spanId}`] : clean
}

/** An error is shown by its stack, which holds its message. */
function error(lines: LogLines, value: Error): unknown {
  const { stack } = value
  if (typeof stack !== 'string') return value
  const clean = lines.redaction.text(stack)
  return clean === stack ? value : clean
}
