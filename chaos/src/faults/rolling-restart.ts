import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { change, needsOrchestrator, orchestratorOf, upOf } from './orchestrated.ts'

/** Every instance is replaced by the orchestrator's own rules. The undo waits until it has come to its end. */
export const rollingRestart: Fault<Extract<FaultSpec, { kind: 'rollingRestart' }>> = {
  kind: 'rollingRestart',
  describe: spec => `rolling restart of ${spec.service}`,
  refuses: needsOrchestrator,
  inject: (spec, context) => {
    const orchestrator = orchestratorOf(context.target)
    return change(spec, upOf(spec, context), context, () => orchestrator.rollingRestart(spec.service))
  },
}
