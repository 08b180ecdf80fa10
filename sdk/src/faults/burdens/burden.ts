import type { Clock } from '../clock.ts'
import type { Lease } from '../effects/effect.ts'
import type { Fields } from '../fields.ts'
import type { ProcessEffect } from '../wire.ts'

export type BurdenOf<K extends ProcessEffect['kind']> = Extract<ProcessEffect, { kind: K }>

/** The lease under which a process bears something. */
export interface BurdenLease extends Lease {
  /** On the process's own monotonic clock; a renewal moves it. */
  readonly expiresAt: number
  readonly ended: boolean
}

/** Weighs on the process itself from the moment it is armed until its lease ends. */
export interface Burden<K extends ProcessEffect['kind'] = ProcessEffect['kind']> {
  kind: K
  /** Reads its own fields; throws `FieldError`. */
  parse(fields: Fields): BurdenOf<K>
  /** `struck` is called each time that it weighs in. */
  begin(effect: BurdenOf<K>, lease: BurdenLease, clock: Clock, struck: () => void): void
}
