import { writeSync } from 'node:fs'
import { hostname } from 'node:os'
import { logMember } from '../names.ts'

export interface AccessLine {
  /** One that HTTP defines, or `_OTHER`. */
  method: string
  path: string
  route: string | undefined
  status: number | undefined
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

/**
 * One JSON line a request in pino's shape, on stdout. Lines are written in batches (16 KB or 100 ms): a process that is
 * killed outright loses at most that much; every orderly or crashing end flushes.
 */
export class AccessLog {
  dropped = 0
  readonly #prefix: string
  readonly #format: (line: string) => string
  readonly #write: (bytes: Buffer) => number
  readonly #routes = new Map<string, string>()
  #second = -1
  #seconds = ''
  #lines = ''
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
    if (this.#rest.length + this.#lines.length > maxBytes) {
      this.dropped++
      return
    }
    const status = line.status ?? 0
    const level = status >= 500 || line.status === undefined ? 50 : status >= 400 ? 40 : 30
    const { method, path, route, faultId, errorType } = line
    this.#lines += this.#format(
      `{"level":${level},"time":${this.#now()},${this.#prefix},` +
        `"${logMember.traceId}":"${line.traceId}","${logMember.spanId}":"${line.spanId}","${logMember.traceFlags}":"${hexByte(line.traceFlags)}",` +
        `"http.request.method":"${method}","url.path":${JSON.stringify(path)},` +
        (route === undefined ? '' : `"http.route":${this.#quoted(route)},`) +
        (line.status === undefined ? '' : `"http.response.status_code":${line.status},`) +
        (errorType === undefined ? '' : `"error.type":${JSON.stringify(errorType)},`) +
        (faultId === undefined ? '' : `"shaketable.fault.id":${JSON.stringify(faultId)},`) +
        `"duration_ms":${thousandths(line.durationMs)},"msg":"request completed"}\n`,
    )
    if (this.#lines.length >= batchBytes) this.flush()
    else if (!this.#timer) this.#wake(batchMs)
  }

  /** ms since the epoch. Thirteen digits are dear to write anew for every line: the seconds stay the same for many. */
  #now(): string {
    const now = Date.now()
    const second = Math.floor(now / 1000)
    if (second !== this.#second) {
      this.#second = second
      this.#seconds = String(second)
    }
    return this.#seconds + threeDigits[now - second * 1000]
  }

  /** Templates are few; what makes them many would be folded in the metrics, too. */
  #quoted(route: string): string {
    let quoted = this.#routes.get(route)
    if (quoted === undefined) {
      quoted = JSON.stringify(route)
      if (this.#routes.size >= 1_000) this.#routes.clear()
      this.#routes.set(route, quoted)
    }
    return quoted
  }

  /** Writes what has gathered. What a full pipe does not take now is tried again soon. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#rest = Buffer.concat([this.#rest, Buffer.from(this.#lines)])
    this.#lines = ''
    try {
      while (this.#rest.length > 0) this.#rest = this.#rest.subarray(this.#write(this.#rest))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EAGAIN') this.#wake(10)
      else {
        // Nobody reads stdout any more.
        this.dropped += this.#rest.filter(byte => byte === newline).length
        this.#rest = Buffer.alloc(0)
      }
    }
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
