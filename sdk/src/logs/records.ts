import type { Logger, LoggerProvider, SpanContext } from '@opentelemetry/api'
import { type LogRecord as ApiRecord, type LoggerOptions, trace } from '@opentelemetry/api'
import { nowMs } from '../clock.ts'
import { activeContext } from '../context.ts'
import { logMember } from '../names.ts'
import type { Redaction } from '../redaction.ts'
import type { Scope } from '../resource.ts'
import { toMs } from '../traces/span.ts'
import { type LogRecord, type LogValue, severityOf } from './record.ts'

export interface LogLimits {
  attributeCount: number
  /** Characters; longer strings are cut. */
  attributeLength: number
}

export interface RecordsOptions {
  limits: LogLimits
  redaction: Redaction
  add(record: LogRecord): void
}

const library = (name: string): Scope => ({ name })
const scopes = {
  pino: library('pino'),
  winston: library('winston'),
  console: library('console'),
  access: library('http'),
}
/** What is nested deeper than any encoder goes is not looked through. */
const deepest = 8

export type LogSource = keyof typeof scopes

/** Makes records of what is logged, whoever logs it. Each way in withholds what its callers have not withheld yet. */
export class LogRecords implements LoggerProvider {
  readonly #options: RecordsOptions

  constructor(options: RecordsOptions) {
    this.#options = options
  }

  /** A line of JSON in the form of pino, as it is written: with its ids, and nothing to withhold. */
  line(source: LogSource, line: string): void {
    let members: unknown
    try {
      members = JSON.parse(line)
    } catch {
      members = line.trimEnd()
    }
    if (typeof members === 'object' && members !== null) this.#addMembers(source, members as Record<string, LogValue>)
    else this.#add(source, undefined, members, {})
  }

  /** What a format has made of a record: it may have written into one string what was clean in several. */
  members(source: LogSource, members: Record<string, LogValue>): void {
    this.#addMembers(source, this.#options.redaction.value(members, deepest))
  }

  #addMembers(source: LogSource, members: Record<string, LogValue>): void {
    const { level, time, timestamp, msg, message, pid, hostname, err, ...rest } = members
    const {
      [logMember.traceId]: traceId,
      [logMember.spanId]: spanId,
      [logMember.traceFlags]: flags,
      ...attributes
    } = rest
    delete attributes['service.name']
    Object.assign(attributes, exceptionOf(err))
    const at = typeof time === 'number' ? time : Date.parse(String(time ?? timestamp))
    const ids =
      typeof traceId === 'string' && typeof spanId === 'string'
        ? { traceId, spanId, traceFlags: Number.parseInt(String(flags), 16) || 0 }
        : undefined
    this.#add(source, level, msg ?? message, attributes, Number.isFinite(at) ? at : undefined, ids)
  }

  /** A line of `console`, put together of what was clean. */
  text(level: string, text: string, span: SpanContext | undefined): void {
    this.#add('console', level, this.#options.redaction.text(text), {}, undefined, span)
  }

  /** OpenTelemetry's own way to log. */
  getLogger(name: string, version?: string, options?: LoggerOptions): Logger {
    const scope: Scope = { name: String(name) }
    if (version !== undefined) scope.version = version
    if (options?.schemaUrl !== undefined) scope.schemaUrl = options.schemaUrl
    return { emit: record => this.#emit(scope, record), enabled: () => true }
  }

  #emit(scope: Scope, record: ApiRecord): void {
    const { redaction } = this.#options
    const now = nowMs()
    const span = trace.getSpanContext(record.context ?? activeContext())
    const { severityNumber = 0, severityText, eventName } = record
    this.#options.add({
      timeMs: toMs(record.timestamp) ?? now,
      observedMs: toMs(record.observedTimestamp) ?? now,
      severityNumber,
      severityText,
      body: redaction.value(record.body, deepest),
      ...this.#within(redaction.value({ ...record.attributes, ...exceptionOf(record.exception) }, deepest)),
      eventName,
      traceId: span?.traceId,
      spanId: span?.spanId,
      traceFlags: span?.traceFlags ?? 0,
      scope,
    })
  }

  #add(
    source: LogSource,
    level: unknown,
    body: LogValue,
    attributes: Record<string, LogValue>,
    timeMs?: number,
    span?: { traceId: string; spanId: string; traceFlags: number },
  ): void {
    const observedMs = nowMs()
    this.#options.add({
      timeMs: timeMs ?? observedMs,
      observedMs,
      ...severityOf(level),
      body,
      ...this.#within(attributes),
      eventName: undefined,
      traceId: span?.traceId,
      spanId: span?.spanId,
      traceFlags: span?.traceFlags ?? 0,
      scope: scopes[source],
    })
  }

  #within(given: Record<string, LogValue>): Pick<LogRecord, 'attributes' | 'droppedAttributesCount'> {
    const { limits } = this.#options
    const all = Object.entries(given).filter(([, value]) => value !== undefined)
    const kept = all.slice(0, limits.attributeCount).map(([name, value]) => {
      const long = typeof value === 'string' && value.length > limits.attributeLength
      return [name, long ? value.slice(0, limits.attributeLength) : value]
    })
    return { attributes: Object.fromEntries(kept), droppedAttributesCount: all.length - kept.length }
  }
}

/** pino's `err`, or an error itself. */
function exceptionOf(error: unknown): Record<string, LogValue> {
  if (error === undefined || error === null) return {}
  if (typeof error !== 'object') return { 'exception.message': String(error) }
  const { type, name, message, stack } = error as { type?: unknown; name?: unknown; message?: unknown; stack?: unknown }
  return { 'exception.type': type ?? name, 'exception.message': message, 'exception.stacktrace': stack }
}
