import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { logMember } from '../names.ts'

export interface AccessLine {
  /** One that HTTP defines, or `_OTHER`. */
  method: string
  path: string
  route: string | undefined
  status: number | undefined
  /** Since the epoch. */
  endMs: number
  durationMs: number
  errorType: string | undefined
  faultId: string | undefined
  traceId: string
  spanId: string
  traceFlags: number
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
  /** By route. */
  readonly #answers = new Map<string, { status: number; text: string }>()
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
    this.#prefix = `"pid":${process.pid},"hostname":${JSON.stringify(hostname())},"service.name":${JSON.stringify(serviceName)}`
    this.#write = write
  }

  add(line: AccessLine): void {
    if (this.#rest.length + this.#gathered > maxBytes) {
      this.dropped++
      return
    }
    const status = line.status ?? 0
    const level = status >= 500 || line.status === undefined ? 50 : status >= 400 ? 40 : 30
    const { method, path, faultId, errorType } = line
    this.#gather(
      this.#format(
        `{"level":${level},"time":${this.#time(Math.floor(line.endMs))},${this.#prefix},` +
          `"${logMember.traceId}":"${line.traceId}","${logMember.spanId}":"${line.spanId}","${logMember.traceFlags}":"${hexByte(line.traceFlags)}",` +
          `"http.request.method":"${method}","url.path":${plainPath.test(path) ? `"${path}"` : JSON.stringify(path)},` +
          this.#answer(line.route, line.status) +
          (errorType === undefined ? '' : `"error.type":${JSON.stringify(errorType)},`) +
          (faultId === undefined ? '' : `"shaketable.fault.id":${JSON.stringify(faultId)},`) +
          `"duration_ms":${thousandths(line.durationMs)},"msg":"request completed"}\n`,
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

  /** Templates are few, and mostly answer alike; what makes them many would be folded in the metrics, too. */
  #answer(route: string | undefined, status: number | undefined): string {
    if (route === undefined || status === undefined) return answerText(route, status)
    const last = this.#answers.get(route)
    if (last?.status === status) return last.text
    const text = answerText(route, status)
    if (this.#answers.size >= 1_000) this.#answers.clear()
    this.#answers.set(route, { status, text })
    return text
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

function answerText(route: string | undefined, status: number | undefined): string {
  const template = route === undefined ? '' : `"http.route":${JSON.stringify(route)},`
  return status === undefined ? template : `${template}"http.response.status_code":${status},`
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
