import { logMember } from '../names.ts'
import type { Redaction } from '../redaction.ts'
import { toEcs } from './ecs.ts'
import { activeSpan, idMembers, withIds } from './ids.ts'
import type { LogRecords, LogSource } from './records.ts'

export type LogFormat = 'pino' | 'ecs'

/** What becomes of every line, whoever logs it: the ids of the active span, the redaction, the format. */
export class LogLines {
  readonly redaction: Redaction
  /** Where logs go out over OTLP besides. */
  readonly records: LogRecords | undefined
  readonly #format: LogFormat
  readonly #serviceName: string

  constructor(redaction: Redaction, format: LogFormat, serviceName: string, records: LogRecords | undefined) {
    this.records = records
    this.redaction = redaction
    this.#format = format
    this.#serviceName = serviceName
  }

  /** A line that a logger has written as JSON, before it goes anywhere. */
  json(source: LogSource, line: string): string {
    return this.finished(source, withIds(this.redaction.json(line)))
  }

  /** A line that has its ids and is written by others' formats. */
  written(line: string): string {
    return line.startsWith('{') ? this.#formatted(this.redaction.json(line)) : this.redaction.text(line)
  }

  /** A line of JSON that has its ids, and holds nothing to withhold. */
  finished(source: LogSource, line: string): string {
    this.records?.line(source, line)
    return this.#formatted(line)
  }

  /** The same, for lines by the thousand: undefined where they stay as they are. */
  finishing(source: LogSource): ((line: string) => string) | undefined {
    if (this.#format === 'pino' && !this.records) return undefined
    return line => this.finished(source, line)
  }

  #formatted(line: string): string {
    return this.#format === 'ecs' ? toEcs(line, this.#serviceName) : line
  }

  /** The members of a record that a logger has still to write. */
  members<Members extends object>(members: Members): Members {
    const span = activeSpan()
    const shown = this.redaction.value(members)
    if (!span || logMember.traceId in shown || !Object.isExtensible(shown)) return shown
    return Object.assign(shown, idMembers(span))
  }
}
