import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { chooseInstances, strike } from './instance-fault.ts'
import { duration, howMany } from './words.ts'

/** SIGTERM, then SIGKILL after the declared grace, as an orchestrator does it. */
export const terminate: Fault<Extract<FaultSpec, { kind: 'terminate' }>> = {
  kind: 'terminate',
  describe: spec => `terminate ${howMany(spec.instances, spec.service)}, grace ${duration(spec.graceMs)}`,
  inject: async (spec, context) => {
    const chosen = chooseInstances(spec, context)
    return strike(spec, chosen, context, instance => instance.terminate(spec.graceMs), undefined)
  },
}
