import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { change, needsOrchestrator, orchestratorOf, upOf } from './orchestrated.ts'

/** No instance is left. The undo gives it the replicas that it had, unless somebody else has scaled it meanwhile. */
export const scaleToZero: Fault<Extract<FaultSpec, { kind: 'scaleToZero' }>> = {
  kind: 'scaleToZero',
  describe: spec => `scale ${spec.service} to zero`,
  refuses: needsOrchestrator,
  inject: (spec, context) => {
    const orchestrator = orchestratorOf(context.target)
    return change(spec, upOf(spec, context), context, () => orchestrator.scaleToZero(spec.service))
  },
}
