import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import type { SpanContext } from '@opentelemetry/api'
import { logMember } from '../names.ts'

/** What the lines of many requests have in common. */
export interface AnswerFacts {
  /** One that HTTP defines, or `_OTHER`. */
  method: string
  route: string | undefined
  status: number | undefined
  errorType: string | undefined
}

/** The pieces of a line that stand around its time, its ids, its path, and its fault and duration. */
export interface AnswerParts {
  level: string
  method: string
  answer: string
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
/** A character of a string is at most three bytes of UTF-8. */
const bytesOfCharacter = 3
/** A path that JSON writes as it is. */
const plainPath = /^[\w/.~-]*$/

/**
 * One JSON line a request in pino's shape, on stdout. Lines are written in batches (16 KB or 100 ms): a process that is
 * killed outright loses at most that much; every orderly or crashing end flushes.
 */
export class AccessLog {
  dropped = 0
  readonly #prefix: string
  readonly #format: (line: string) => string
  readonly #write: (bytes: Buffer) => number
  #second = -1
  #seconds = ''
  /** The batch that gathers. Not a string: that would be a tree of hundreds of pieces, which outlives garbage collections. */
  readonly #batch = Buffer.allocUnsafeSlow(2 * batchBytes)
  #gathered = 0
  /** What could not be written yet. */
  #rest: Buffer = Buffer.alloc(0)
  #timer: NodeJS.Timeout | undefined

  constructor(
    serviceName: string,
    format: (line: string) => string = line => line,
    write: (bytes: Buffer) => number = bytes => writeSync(1, bytes),
  ) {
    this.#format = format
    const [host, name] = [JSON.stringify(hostname()), JSON.stringify(serviceName)]
    this.#prefix = `,"pid":${process.pid},"hostname":${host},"service.name":${name},"${logMember.traceId}":"`
    this.#write = write
  }

  partsOf({ method, route, status, errorType }: AnswerFacts): AnswerParts {
    const level = status === undefined || status >= 500 ? 50 : status >= 400 ? 40 : 30
    return {
      level: `{"level":${level},"time":`,
      method: `","http.request.method":"${method}","url.path":`,
      answer:
        member('http.route', route) +
        (status === undefined ? '' : `,"http.response.status_code":${status}`) +
        member('error.type', errorType),
    }
  }

  add({ level, method, answer }: AnswerParts, { path, endMs, durationMs, faultId, span }: AccessLine): void {
    if (this.#rest.length + this.#gathered > maxBytes) {
      this.dropped++
      return
    }
    this.#gather(
      this.#format(
        level +
          this.#time(Math.floor(endMs)) +
          this.#prefix +
          span.traceId +
          beforeSpanId +
          span.spanId +
          beforeFlags +
          hexByte(span.traceFlags) +
          method +
          (plainPath.test(path) ? `"${path}"` : JSON.stringify(path)) +
          answer +
          member('shaketable.fault.id', faultId) +
          `,"duration_ms":${thousandths(durationMs)},"msg":"request completed"}\n`,
      ),
    )
    if (this.#gathered >= batchBytes) this.flush()
    else if (!this.#timer) this.#wake(batchMs)
  }

  #gather(line: string): void {
    const mostBytes = line.length * bytesOfCharacter
    if (mostBytes > this.#batch.length - this.#gathered) this.flush()
    if (mostBytes > this.#batch.length) this.#rest = Buffer.concat([this.#rest, Buffer.from(line)])
    else this.#gathered += this.#batch.write(line, this.#gathered)
  }

  /** Thirteen digits are dear to write anew for every line: the seconds stay the same for many. */
  #time(ms: number): string {
    const second = Math.floor(ms / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#seconds = String(second)
    }
    return this.#seconds + threeDigits[ms - second * 1000]
  }

  /** Writes what has gathered. What a full pipe does not take now is tried again soon. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const gathered = this.#batch.subarray(0, this.#gathered)
    this.#gathered = 0
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

const beforeSpanId = `","${logMember.spanId}":"`
const beforeFlags = `","${logMember.traceFlags}":"`

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${JSON.stringify(value)}`
}

const threeDigits = Array.from({ length: 1_000 }, (_, number) => String(number).padStart(3, '0'))

/** Of a number from 0 on: with whole numbers, which are written much faster than fractions. */
function thousandths(value: number): string {
  const all = Math.round(value * 1000)
  const whole = Math.floor(all / 1000)
  return `${whole}.${threeDigits[all - whole * 1000]}`
}

function hexByte(flags: number): string {
  return flags === 1 ? '01' : (flags & 0xff).toString(16).padStart(2, '0')
}
