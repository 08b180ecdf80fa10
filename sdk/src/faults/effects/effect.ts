import type { Fields } from '../fields.ts'
import type { Inbound } from '../inbound-exchange.ts'
import type { ScriptedSocket } from '../scripted-socket.ts'
import type { FaultEffect } from '../wire.ts'

export type EffectOf<K extends FaultEffect['kind']> = Extract<FaultEffect, { kind: K }>

/** The lease under which a fault acts; `onEnd` runs `run` once when it is disarmed or expires, and answers how to forget it. */
export interface Lease {
  onEnd(run: () => void): () => void
}

interface Named<K extends FaultEffect['kind']> {
  kind: K
  /** Reads its own fields; throws `FieldError`. */
  parse(fields: Fields): EffectOf<K>
}

/** Holds a request back; then it goes on as it would have. */
export interface Delay<K extends FaultEffect['kind'] = FaultEffect['kind']> extends Named<K> {
  /** `jitter` is uniform in [0, 1). */
  delayMs(effect: EffectOf<K>, jitter: number): number
}

/** Ends a request in the place of whoever would have answered it. */
export interface Ending<K extends FaultEffect['kind'] = FaultEffect['kind']> extends Named<K> {
  /** A request that the service received. */
  inbound(effect: EffectOf<K>, exchange: Inbound, lease: Lease): void
  /** A request that the service made: what its connection does once the request was written to it. */
  outbound(effect: EffectOf<K>, socket: ScriptedSocket, lease: Lease): void
}
