import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { burden } from './process-fault.ts'
import { duration, howMany } from './words.ts'

/** The event loop stands still, again and again. */
export const stall: Fault<Extract<FaultSpec, { kind: 'stall' }>> = {
  kind: 'stall',
  describe: spec =>
    `event loop blocked for ${duration(spec.blockMs)} every ${duration(spec.everyMs)} in ${howMany(spec.instances, spec.service)}`,
  inject: (spec, context) => {
    const { blockMs, everyMs } = spec
    return burden(spec, { kind: 'stall', blockMs, everyMs }, context)
  },
}
