import type { Socket } from 'node:net'
import type { Draw } from '../choice.ts'
import type { Fields } from '../fields.ts'
import type { Inbound } from '../inbound-exchange.ts'
import type { ScriptedSocket } from '../scripted-socket.ts'
import type { RequestEffect } from '../wire.ts'

export type EffectOf<K extends RequestEffect['kind']> = Extract<RequestEffect, { kind: K }>

/** The lease under which a fault acts; `onEnd` runs `run` once when it is disarmed or expires, and answers how to forget it. */
export interface Lease {
  onEnd(run: () => void): () => void
}

interface Named<K extends RequestEffect['kind']> {
  kind: K
  /** Reads its own fields; throws `FieldError`. */
  parse(fields: Fields): EffectOf<K>
}

/** Holds a request back; then it goes on as it would have. */
export interface Delay<K extends RequestEffect['kind'] = RequestEffect['kind']> extends Named<K> {
  /** `measure` is the part of it that a ramp has reached, 0 to 1. */
  delayMs(effect: EffectOf<K>, draw: Draw, measure: number): number
}

/**
 * Of so many bytes that wait: how many may pass at this moment (ms, monotonic), or when to ask again; `cut` where none ever will.
 */
export type Valve = (waiting: number, now: number) => { pass: number } | { againInMs: number } | 'cut'

/** Lets the request go its way, and the body of its answer come as a valve allows. */
export interface Shaping<K extends RequestEffect['kind'] = RequestEffect['kind']> extends Named<K> {
  valve(effect: EffectOf<K>): Valve
}

/** Ends a request in the place of whoever would have answered it. */
export interface Ending<K extends RequestEffect['kind'] = RequestEffect['kind']> extends Named<K> {
  /** A request that the service received. */
  inbound(effect: EffectOf<K>, exchange: Inbound, lease: Lease): void
  /** A request that the service made: what its connection does once the request was written to it. */
  outbound(effect: EffectOf<K>, socket: ScriptedSocket, lease: Lease): void
  /** A connection of any protocol on which the service was about to write: nothing of that goes out. */
  connection?(effect: EffectOf<K>, socket: Socket, lease: Lease): void
}
