import type { FaultSpec } from '../experiment/model.ts'
import { formatSize } from '../experiment/sizes.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** The body of each answer arrives at a rate of its own. */
export const bandwidth: Fault<Extract<FaultSpec, { kind: 'bandwidth' }>> = {
  kind: 'bandwidth',
  describe: spec => `bodies at ${formatSize(spec.bytesPerSecond)}/s ${whichRequests(spec)}`,
  inject: (spec, context) =>
    injectIntoRequests(spec, { kind: 'bandwidth', bytesPerSecond: spec.bytesPerSecond }, context),
}
