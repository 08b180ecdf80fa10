import { isSpanContextValid, type SpanContext, trace } from '@opentelemetry/api'
import { activeContext } from '../context.ts'
import { logMember } from '../names.ts'
import { hexByte } from '../traces/propagation.ts'

const { traceId, spanId, traceFlags } = logMember
const alreadyThere = `"${traceId}":`

/** The active span, if a line that is logged now belongs to one. */
export function activeSpan(): SpanContext | undefined {
  const span = trace.getSpanContext(activeContext())
  return span && isSpanContextValid(span) ? span : undefined
}

/** The JSON line with the active span's ids as its last members; unchanged without a span or when it has them. */
export function withIds(line: string): string {
  const span = activeSpan()
  const end = line.lastIndexOf('}')
  if (!span || end < 0 || line.includes(alreadyThere)) return line
  const comma = line[end - 1] === '{' ? '' : ','
  return `${line.slice(0, end)}${comma}"${traceId}":"${span.traceId}","${spanId}":"${span.spanId}","${traceFlags}":"${hexByte(span.traceFlags)}"${line.slice(end)}`
}

/** The ids as members of a record that is not written yet. */
export function idMembers(span: SpanContext): Record<string, string> {
  return { [traceId]: span.traceId, [spanId]: span.spanId, [traceFlags]: hexByte(span.traceFlags) }
}
