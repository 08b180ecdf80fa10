import type { ArmedFault } from '../armed.ts'
import type { Clock } from '../clock.ts'
import type { ProcessEffect } from '../wire.ts'
import type { Burden } from './burden.ts'
import { burn } from './burn.ts'
import { memory } from './memory.ts'
import { stall } from './stall.ts'

/** One file a burden; a new one is added here and to `ProcessEffect`. */
export const burdens = { stall, burn, memory } satisfies { [K in ProcessEffect['kind']]: Burden<K> }

/** Lets the process bear a fault until that ends. */
export function bear(fault: ArmedFault, clock: Clock, count: (faultId: string, kind: string) => void): void {
  const effect = fault.request.effect as ProcessEffect
  const burden = burdens[effect.kind] as unknown as Burden
  burden.begin(effect, fault, clock, () => {
    fault.seen++
    fault.hit++
    fault.expected++
    count(fault.id, effect.kind)
  })
}
