import { AsyncResource } from 'node:async_hooks'
import { Socket } from 'node:net'
import { activeContext } from '../context.ts'
import type { OpenCall, OpenCalls } from '../instrumentations/open-calls.ts'
import type { ArmedFault } from './armed.ts'
import { afterDelays, decide, isOwnTraffic, markCall, type Strike, type Striking } from './strike.ts'
import type { RequestEffect } from './wire.ts'

type Write = (this: Socket, chunk: unknown, encoding?: unknown, written?: unknown) => boolean
type End = (this: Socket, chunk?: unknown, encoding?: unknown, done?: unknown) => Socket

/**
 * Puts the faults into what the process writes to dependencies whose protocol nobody here knows: PostgreSQL, Redis and the like,
 * over pools of connections that were open long before. Everything written to a connection in one turn of the event loop is one
 * request: a query with its parameters, a pipeline of commands. The answer takes the faults away again.
 */
export function interceptTcp(striking: Striking, calls: OpenCalls | undefined): () => void {
  const prototype = Socket.prototype as unknown as { write: Write; end: End }
  // Both are inherited from Duplex, and shared with what is no connection.
  const { write, end } = prototype
  const outgoing = new WeakMap<Socket, Outgoing>()

  const of = (socket: Socket): Outgoing => {
    const known = outgoing.get(socket)
    if (known) return known
    const made = new Outgoing(socket, striking, calls)
    outgoing.set(socket, made)
    return made
  }
  const wrappedWrite: Write = function (chunk, encoding, written) {
    const go = () => write.call(this, chunk, encoding, written)
    if (striking.armed.tcp.length === 0 && !outgoing.get(this)?.busy) return go()
    if (isOwnTraffic() || this.remotePort === undefined) return go()
    return of(this).write(go)
  }
  const wrappedEnd: End = function (chunk, encoding, done) {
    const go = () => void end.call(this, chunk, encoding, done)
    const before = outgoing.get(this)
    if (before?.busy) before.after(go)
    else go()
    return this
  }
  Object.assign(prototype, { write: wrappedWrite, end: wrappedEnd })
  return () => {
    if (prototype.write === wrappedWrite) Reflect.deleteProperty(prototype, 'write')
    if (prototype.end === wrappedEnd) Object.assign(prototype, { end })
  }
}

interface Turn {
  writes: (() => void)[]
  /** It may go out once it is the first. What an ending has swallowed never is. */
  ready: boolean
  struck: readonly ArmedFault[]
}

/** What one connection has still to write, in its order. */
class Outgoing {
  readonly #socket: Socket
  readonly #striking: Striking
  readonly #calls: OpenCalls | undefined
  #turns: Turn[] = []
  #written: readonly OpenCall[] = []
  /** Of this turn of the event loop; `undefined` where nothing has been written in it yet, or nothing struck. */
  #current: Turn | 'spared' | undefined
  #wantsDrain = false

  constructor(socket: Socket, striking: Striking, calls: OpenCalls | undefined) {
    this.#socket = socket
    this.#striking = striking
    this.#calls = calls
    socket.once('close', () => {
      this.#turns = []
    })
  }

  get busy(): boolean {
    return this.#turns.length > 0
  }

  write(go: () => boolean): boolean {
    const { remotePort = 0 } = this.#socket
    const begins = this.#current === undefined
    this.#written = this.#calls?.written(activeContext(), remotePort, this.#written, begins) ?? []
    this.#current ??= this.#begin(this.#written[0])
    // A pipeline is one request of several calls.
    if (this.#current !== 'spared') for (const call of this.#written) markCall(call, this.#current.struck)
    const struck = this.#current !== 'spared' && !this.#current.ready ? this.#current : undefined
    if (!struck && !this.busy) return go()
    // What was spared keeps its place behind what waits.
    const turn = struck ?? this.#append({ writes: [], ready: true, struck: [] })
    // A write keeps the context in which it was made.
    turn.writes.push(AsyncResource.bind(go))
    this.#wantsDrain = true
    this.#flow()
    return !this.busy
  }

  /** Runs once all that waits is written. */
  after(go: () => void): void {
    this.#append({ writes: [go], ready: true, struck: [] })
  }

  #begin(call: OpenCall | undefined): Turn | 'spared' {
    setImmediate(() => {
      this.#current = undefined
    })
    const { remoteAddress = '', remotePort } = this.#socket
    const host = remoteAddress.replace(/^::ffff:/, '')
    const peer = `${host.includes(':') ? `[${host}]` : host}:${remotePort}`
    const strike = decide(this.#striking, 'tcp', { method: '', path: '', peer }, call)
    return strike ? this.#append(this.#struck(strike)) : 'spared'
  }

  #struck(strike: Strike): Turn {
    const turn: Turn = { writes: [], ready: false, struck: strike.struck }
    const cancel = afterDelays(strike, this.#striking.clock, () => {
      const { ending } = strike
      if (ending && !ending.fault.ended) {
        const { effect, fault } = ending
        effect.connection?.(fault.request.effect as RequestEffect, this.#socket, fault)
        return
      }
      turn.ready = true
      this.#flow()
    })
    this.#socket.once('close', cancel)
    return turn
  }

  #append(turn: Turn): Turn {
    this.#turns.push(turn)
    return turn
  }

  #flow(): void {
    while (this.#turns[0]?.ready) {
      const { writes } = this.#turns[0]
      this.#turns.shift()
      for (const write of writes) write()
    }
    if (this.busy || !this.#wantsDrain || this.#socket.destroyed) return
    this.#wantsDrain = false
    if (!this.#socket.writableNeedDrain) this.#socket.emit('drain')
  }
}
