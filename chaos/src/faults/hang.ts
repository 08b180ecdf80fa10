import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** Requests get no answer for as long as the fault is armed. */
export const hang: Fault<Extract<FaultSpec, { kind: 'hang' }>> = {
  kind: 'hang',
  describe: spec => `no answer ${whichRequests(spec)}`,
  inject: (spec, context) => injectIntoRequests(spec, { kind: 'hang' }, context),
}
