import { Duplex } from 'node:stream'
import { connectionReset } from './connection-reset.ts'

/**
 * The connection of an outbound request that a fault ends: it takes what the client writes and then follows its script. The
 * client's own machinery (parser, spans, timeouts, abort) sees a connection like any other; no dependency is called.
 */
export class ScriptedSocket extends Duplex {
  #script: ((socket: ScriptedSocket) => void) | undefined
  #timeout: NodeJS.Timeout | undefined
  #headOnly = false
  /** A connection without an answer keeps its process alive, as a real one does. */
  readonly #alive = setInterval(() => {}, 2 ** 30)

  constructor(script: (socket: ScriptedSocket) => void) {
    super()
    this.#script = script
  }

  answer(head: string, body: Buffer): void {
    if (this.destroyed) return
    this.push(head)
    if (body.length > 0 && !this.#headOnly) this.push(body)
    this.push(null)
  }

  reset(): void {
    this.destroy(connectionReset())
  }

  /** As `net.Socket`: emits `timeout` after `ms` without an answer; 0 takes it back. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    clearTimeout(this.#timeout)
    if (onTimeout !== undefined) this.once('timeout', onTimeout)
    if (ms > 0) this.#timeout = setTimeout(() => this.emit('timeout'), ms)
    return this
  }

  setNoDelay(): this {
    return this
  }

  setKeepAlive(): this {
    return this
  }

  ref(): this {
    return this
  }

  unref(): this {
    return this
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, written: () => void): void {
    const script = this.#script
    this.#script = undefined
    if (script !== undefined) this.#headOnly = chunk.subarray(0, 5).toString('latin1') === 'HEAD '
    // The client is done with this turn of its own before the connection acts.
    if (script !== undefined) setImmediate(script, this)
    written()
  }

  override _destroy(error: Error | null, destroyed: (error: Error | null) => void): void {
    clearTimeout(this.#timeout)
    clearInterval(this.#alive)
    destroyed(error)
  }
}
