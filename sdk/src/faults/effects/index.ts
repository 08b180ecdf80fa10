import type { RequestEffect } from '../wire.ts'
import { bandwidth } from './bandwidth.ts'
import type { Delay, Ending, Shaping } from './effect.ts'
import { error } from './error.ts'
import { hang } from './hang.ts'
import { latency } from './latency.ts'
import { reset } from './reset.ts'
import { truncate } from './truncate.ts'

/** One file an effect; a new one is added here and to `RequestEffect`. */
export const effects = { latency, error, reset, hang, truncate, bandwidth } satisfies {
  [K in RequestEffect['kind']]: Delay<K> | Ending<K> | Shaping<K>
}

/** The effect of a kind, its own parameters erased: the wire type and the registry agree on them by construction. */
export function effectOf(kind: RequestEffect['kind']): Delay | Ending | Shaping {
  return effects[kind] as unknown as Delay | Ending | Shaping
}
