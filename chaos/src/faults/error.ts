import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** Requests are answered with an error status and never reach the handler. */
export const error: Fault<Extract<FaultSpec, { kind: 'error' }>> = {
  kind: 'error',
  describe: spec => `status ${spec.status} ${whichRequests(spec)}`,
  inject: (spec, context) =>
    injectIntoRequests(
      spec,
      { kind: 'error', status: spec.status, ...(spec.body === undefined ? {} : { body: spec.body }) },
      context,
    ),
}
