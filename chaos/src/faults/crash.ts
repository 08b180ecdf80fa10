import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { chooseInstances, strike } from './instance-fault.ts'
import { duration, howMany } from './words.ts'

/** SIGKILL, no grace, once or again and again. The target starts the instance again by its own rules. */
export const crash: Fault<Extract<FaultSpec, { kind: 'crash' }>> = {
  kind: 'crash',
  describe: spec =>
    `crash ${howMany(spec.instances, spec.service)}${spec.everyMs ? ` every ${duration(spec.everyMs)}` : ''}`,
  inject: async (spec, context) => {
    const chosen = chooseInstances(spec, context)
    return strike(spec, chosen, context, instance => instance.crash(), spec.everyMs)
  },
}
