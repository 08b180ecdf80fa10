import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { chooseInstances, strike } from './instance-fault.ts'
import { needsOrchestrator, orchestratorOf } from './orchestrated.ts'
import { howMany } from './words.ts'

/** Asked for as the drain of a node asks: one that a disruption budget forbids ends the run with that as its reason. */
export const evict: Fault<Extract<FaultSpec, { kind: 'evict' }>> = {
  kind: 'evict',
  describe: spec => `evict ${howMany(spec.instances, spec.service)}`,
  refuses: needsOrchestrator,
  inject: async (spec, context) => {
    const orchestrator = orchestratorOf(context.target)
    const chosen = chooseInstances(spec, context)
    return strike(spec, chosen, context, instance => orchestrator.evict(instance), undefined)
  },
}
