import type { FaultSpec } from '../experiment/model.ts'
import { formatSize } from '../experiment/sizes.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** Answers are cut off after so many bytes of their body. */
export const truncate: Fault<Extract<FaultSpec, { kind: 'truncate' }>> = {
  kind: 'truncate',
  describe: spec => `answers cut off after ${formatSize(spec.afterBytes)} ${whichRequests(spec)}`,
  inject: (spec, context) => injectIntoRequests(spec, { kind: 'truncate', afterBytes: spec.afterBytes }, context),
}
