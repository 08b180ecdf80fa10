import type { FaultEffect } from '../wire.ts'
import type { Delay, Ending } from './effect.ts'
import { error } from './error.ts'
import { hang } from './hang.ts'
import { latency } from './latency.ts'
import { reset } from './reset.ts'

/** One file an effect; a new one is added here and to `FaultEffect`. */
export const effects = { latency, error, reset, hang } satisfies {
  [K in FaultEffect['kind']]: Delay<K> | Ending<K>
}

/** The effect of a kind, its own parameters erased: the wire type and the registry agree on them by construction. */
export function effectOf(kind: FaultEffect['kind']): Delay | Ending {
  return effects[kind] as unknown as Delay | Ending
}
