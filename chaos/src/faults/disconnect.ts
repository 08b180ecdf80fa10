import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { hold } from './held-fault.ts'
import { howMany } from './words.ts'

/** A partition: the instance runs on, and is on none of its networks. */
export const disconnect: Fault<Extract<FaultSpec, { kind: 'disconnect' }>> = {
  kind: 'disconnect',
  describe: spec => `disconnect ${howMany(spec.instances, spec.service)}`,
  refuses: (target, { service }) =>
    target.instances(service).every(instance => instance.disconnect)
      ? undefined
      : `the ${target.kind} target has no network from which an instance could be taken`,
  inject: (spec, context) =>
    hold(spec, context, {
      take: async instance => instance.disconnect?.(),
      release: async instance => instance.reconnect?.(),
    }),
}
