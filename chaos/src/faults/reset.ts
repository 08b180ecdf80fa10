import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** The connection is reset before any answer. */
export const reset: Fault<Extract<FaultSpec, { kind: 'reset' }>> = {
  kind: 'reset',
  describe: spec => `connection reset ${whichRequests(spec)}`,
  inject: (spec, context) => injectIntoRequests(spec, { kind: 'reset' }, context),
}
