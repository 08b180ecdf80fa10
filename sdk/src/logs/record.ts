import type { Scope } from '../resource.ts'

/** What a log says beyond text: what JSON can write. */
export type LogValue = unknown

/** A record of OpenTelemetry's log data model. */
export interface LogRecord {
  /** ms since the epoch. */
  timeMs: number
  observedMs: number
  /** 1 to 24; 0 when nothing is known of it. */
  severityNumber: number
  severityText: string | undefined
  body: LogValue
  attributes: Record<string, LogValue>
  droppedAttributesCount: number
  eventName: string | undefined
  traceId: string | undefined
  spanId: string | undefined
  traceFlags: number
  scope: Scope
}

const severities: Readonly<Record<string, number>> = {
  trace: 1,
  silly: 1,
  debug: 5,
  verbose: 5,
  log: 9,
  http: 9,
  info: 9,
  notice: 10,
  warn: 13,
  warning: 13,
  error: 17,
  crit: 18,
  alert: 19,
  fatal: 21,
  emerg: 21,
}
const names: readonly [number, string][] = [
  [60, 'fatal'],
  [50, 'error'],
  [40, 'warn'],
  [30, 'info'],
  [20, 'debug'],
  [0, 'trace'],
]

/** The severity of a level, by pino's number or by its name in pino, winston, syslog or `console`. */
export function severityOf(level: unknown): { severityNumber: number; severityText: string | undefined } {
  if (typeof level === 'number') {
    const [, text = 'trace'] = names.find(([from]) => level >= from) ?? []
    return { severityNumber: severities[text]!, severityText: text }
  }
  if (typeof level !== 'string') return { severityNumber: 0, severityText: undefined }
  return { severityNumber: severities[level.toLowerCase()] ?? 0, severityText: level }
}
