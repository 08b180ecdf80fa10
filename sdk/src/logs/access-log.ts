import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { SpanContext } from '@opentelemetry/api'
import { logMember } from '../names.ts'
import { isPlainPath } from '../plain-path.ts'
import { hexByte } from '../traces/propagation.ts'
import { LineBuffer } from './line-buffer.ts'

/** What the lines of many requests have in common. */
export interface AnswerFacts {
  /** One that HTTP defines, or `_OTHER`. */
  method: string
  route: string | undefined
  status: number | undefined
  errorType: string | undefined
}

/** The pieces of a line, in UTF-8, that stand before its time, between its ids and its path, and behind that. */
export interface AnswerParts {
  before: Uint8Array
  method: Uint8Array
  answer: Uint8Array
}

export interface AccessLine {
  path: string
  /** Since the epoch. */
  endMs: number
  durationMs: number
  faultId: string | undefined
  span: SpanContext
}

const batchBytes = 16_384
const batchMs = 100
const maxBytes = 1_048_576
const newline = 0x0a

/**
 * One JSON line a request in pino's shape, on stdout. Lines are written in batches (16 KB or 100 ms): a process that is
 * killed outright loses at most that much; every orderly or crashing end flushes.
 */
export class AccessLog {
  dropped = 0
  readonly #process: Uint8Array
  readonly #format: ((line: string) => string) | undefined
  readonly #write: (bytes: Buffer) => number
  #second = -1
  #seconds = ''
  readonly #batch = new LineBuffer(2 * batchBytes)
  /** What could not be written yet. */
  #rest: Buffer = Buffer.alloc(0)
  #timer: NodeJS.Timeout | undefined

  /** `format` makes another line of each one. */
  constructor(
    serviceName: string,
    format?: (line: string) => string,
    write: (bytes: Buffer) => number = bytes => writeSync(1, bytes),
  ) {
    this.#format = format
    const [host, name] = [JSON.stringify(hostname()), JSON.stringify(serviceName)]
    const text = `,"pid":${process.pid},"hostname":${host},"service.name":${name},"${logMember.traceId}":"`
    this.#process = Buffer.from(text)
    this.#write = write
  }

  partsOf({ method, route, status, errorType }: AnswerFacts): AnswerParts {
    const level = status === undefined || status >= 500 ? 50 : status >= 400 ? 40 : 30
    const answer =
      member('http.route', route) +
      (status === undefined ? '' : `,"http.response.status_code":${status}`) +
      member('error.type', errorType)
    return {
      before: Buffer.from(`{"level":${level},"time":`),
      method: Buffer.from(`","http.request.method":"${method}","url.path":`),
      answer: Buffer.from(answer),
    }
  }

  add(parts: AnswerParts, line: AccessLine): void {
    const from = this.#batch.length
    if (this.#rest.length + from > maxBytes) {
      this.dropped++
      return
    }
    this.#compose(parts, line)
    if (this.#format) this.#rewrite(from, this.#format)
    if (this.#batch.length >= batchBytes) this.flush()
    else if (!this.#timer) this.#wake(batchMs)
  }

  #compose(parts: AnswerParts, { path, endMs, durationMs, faultId, span }: AccessLine): void {
    const to = this.#batch
    const second = Math.floor(endMs / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#seconds = String(second)
    }
    to.raw(parts.before)
    to.ascii(this.#seconds)
    to.digits(Math.floor(endMs - second * 1000), 3)
    to.raw(this.#process)
    to.ascii(span.traceId)
    to.raw(beforeSpanId)
    to.ascii(span.spanId)
    to.raw(beforeFlags)
    to.ascii(hexByte(span.traceFlags))
    to.raw(parts.method)
    if (isPlainPath(path)) {
      to.ascii('"')
      to.ascii(path)
      to.ascii('"')
    } else to.text(JSON.stringify(path))
    to.raw(parts.answer)
    if (faultId !== undefined) to.text(member('shaketable.fault.id', faultId))
    to.raw(beforeDuration)
    const micros = Math.round(durationMs * 1000)
    const whole = Math.floor(micros / 1000)
    to.ascii(String(whole))
    to.ascii('.')
    to.digits(micros - whole * 1000, 3)
    to.raw(message)
  }

  /** The line from there on, in another format. */
  #rewrite(from: number, format: (line: string) => string): void {
    const line = this.#batch.written.toString('utf8', from)
    const formatted = format(line)
    if (formatted === line) return
    this.#batch.shorten(from)
    this.#batch.text(formatted)
  }

  /** Writes what has gathered. What a full pipe does not take now is tried again soon. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const gathered = this.#batch.written
    this.#batch.shorten(0)
    let rest = this.#rest.length === 0 ? gathered : Buffer.concat([this.#rest, gathered])
    try {
      while (rest.length > 0) rest = rest.subarray(this.#write(rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#wake(10)
      else {
        // Nobody reads stdout any more.
        this.dropped += rest.filter(byte => byte === newline).length
        rest = rest.subarray(rest.length)
      }
    }
    // The batch is written anew from now on.
    this.#rest = Buffer.from(rest)
  }

  /** For the very end: waits up to 200 ms for a full pipe. */
  flushAtExit(): void {
    const end = performance.now() + 200
    this.flush()
    while (this.#rest.length > 0 && performance.now() < end) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
      this.flush()
    }
  }

  #wake(ms: number): void {
    this.#timer = setTimeout(() => this.flush(), ms)
    this.#timer.unref()
  }
}

const beforeSpanId = Buffer.from(`","${logMember.spanId}":"`)
const beforeFlags = Buffer.from(`","${logMember.traceFlags}":"`)
const beforeDuration = Buffer.from(',"duration_ms":')
const message = Buffer.from(',"msg":"request completed"}\n')

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`
}
