import type { FaultSpec } from '../experiment/model.ts'
import { formatSize } from '../experiment/sizes.ts'
import type { Fault } from './fault.ts'
import { burden } from './process-fault.ts'
import { howMany } from './words.ts'

/** Memory is taken, and given back at the end. */
export const memory: Fault<Extract<FaultSpec, { kind: 'memory' }>> = {
  kind: 'memory',
  describe: spec => `${formatSize(spec.bytes)} of memory taken in ${howMany(spec.instances, spec.service)}`,
  inject: (spec, context) => burden(spec, { kind: 'memory', bytes: spec.bytes }, context),
}
