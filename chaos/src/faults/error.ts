import type { FaultEffect } from '@shaketable/sdk/faults'
import { grpcCodeOf } from '../experiment/grpc-statuses.ts'
import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { injectIntoRequests } from './request-fault.ts'
import { whichRequests } from './words.ts'

/** Requests are answered with an error status and never reach the handler. */
export const error: Fault<Extract<FaultSpec, { kind: 'error' }>> = {
  kind: 'error',
  describe: spec => `${'grpc' in spec ? `gRPC status ${spec.grpc}` : `status ${spec.status}`} ${whichRequests(spec)}`,
  inject: (spec, context) => injectIntoRequests(spec, effectOf(spec), context),
}

function effectOf(spec: Extract<FaultSpec, { kind: 'error' }>): Extract<FaultEffect, { kind: 'error' }> {
  if ('grpc' in spec) {
    const { grpc, message } = spec
    return {
      kind: 'error',
      grpcStatus: grpcCodeOf(grpc),
      ...(message === undefined ? {} : { grpcMessage: message }),
    }
  }
  return { kind: 'error', status: spec.status, ...(spec.body === undefined ? {} : { body: spec.body }) }
}
