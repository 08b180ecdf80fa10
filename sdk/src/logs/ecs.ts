/** A line of pino, winston, or our own access log, as far as its members are known. */
interface Line {
  level?: number | string
  time?: number | string
  timestamp?: number | string
  msg?: unknown
  message?: unknown
  name?: unknown
  pid?: unknown
  hostname?: unknown
  err?: { type?: string; name?: string; message?: string; stack?: string; code?: unknown }
  trace_id?: string
  span_id?: string
  trace_flags?: string
  duration_ms?: number
  [member: string]: unknown
}

const levels: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
}

/**
 * The line in Elastic Common Schema; members that the schema does not know keep their names. What is no JSON object is
 * returned as it is.
 */
export function toEcs(line: string, serviceName: string): string {
  if (!line.startsWith('{')) return line
  let read: Line
  try {
    read = JSON.parse(line)
  } catch {
    return line
  }
  const { level, time, timestamp, msg, message, name, pid, hostname, err, trace_id, span_id, trace_flags, ...others } =
    read
  const { duration_ms, ...rest } = others
  const ecs = {
    '@timestamp': isoTime(time ?? timestamp),
    'log.level': typeof level === 'number' ? (levels[level] ?? String(level)) : level,
    message: msg ?? message,
    'ecs.version': '8.11.0',
    'service.name': serviceName,
    'process.pid': pid,
    'host.hostname': hostname,
    'log.logger': name,
    'trace.id': trace_id,
    'span.id': span_id,
    'event.duration': duration_ms === undefined ? undefined : Math.round(duration_ms * 1e6),
    ...(err && typeof err === 'object'
      ? {
          'error.type': err.type ?? err.name,
          'error.message': err.message,
          'error.stack_trace': err.stack,
          'error.code': err.code === undefined ? undefined : String(err.code),
        }
      : { err }),
    ...rest,
  }
  return `${JSON.stringify(ecs)}${line.endsWith('\n') ? '\n' : ''}`
}

function isoTime(time: number | string | undefined): string {
  const date = new Date(time ?? Date.now())
  return Number.isNaN(date.getTime()) ? new Date().toISOString() : date.toISOString()
}
