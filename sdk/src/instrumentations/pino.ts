import { isSpanContextValid, trace } from '@opentelemetry/api'
import { activeContext } from '../context.ts'
import { logMember } from '../names.ts'
import type { LibraryFile } from './modules.ts'

type AsJson = (this: unknown, object: unknown, message: unknown, level: number, time: string) => string

const alreadyThere = `"${logMember.traceId}":`

/** Every line of every pino logger gets the ids of the active span, child loggers included. */
export const pino: LibraryFile = {
  library: 'pino',
  file: 'lib/tools.js',
  majors: [7, 8, 9, 10],
  patch(exported) {
    const tools = exported as { asJson?: AsJson }
    const { asJson } = tools
    if (!asJson) throw new Error('asJson is not there')
    tools.asJson = function (object, message, level, time) {
      return withIds(asJson.call(this, object, message, level, time))
    }
    return tools
  },
}

/** The JSON line with the active span's ids as its last members; unchanged without a span or when it has them. */
export function withIds(line: string): string {
  const span = trace.getSpanContext(activeContext())
  const end = line.lastIndexOf('}')
  if (!span || !isSpanContextValid(span) || end < 0 || line.includes(alreadyThere)) return line
  const flags = (span.traceFlags & 0xff).toString(16).padStart(2, '0')
  const { traceId, spanId, traceFlags } = logMember
  const comma = line[end - 1] === '{' ? '' : ','
  return `${line.slice(0, end)}${comma}"${traceId}":"${span.traceId}","${spanId}":"${span.spanId}","${traceFlags}":"${flags}"${line.slice(end)}`
}
