import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { chooseInstances } from './instance-fault.ts'
import { change, needsOrchestrator, orchestratorOf } from './orchestrated.ts'
import { howMany } from './words.ts'

/** What needs the kernel, done by Chaos Mesh: its resource ends by itself when the lease of the fault does. */
export const chaosMesh: Fault<Extract<FaultSpec, { kind: 'chaosMesh' }>> = {
  kind: 'chaosMesh',
  describe: spec =>
    `${spec.resource}${typeof spec.spec.action === 'string' ? ` (${spec.spec.action})` : ''} by Chaos Mesh on ${howMany(spec.instances, spec.service)}`,
  refuses: needsOrchestrator,
  inject: async (spec, context) => {
    const orchestrator = orchestratorOf(context.target)
    const instances = chooseInstances(spec, context)
    const { id: fault, service, resource } = spec
    const lastsMs = spec.durationMs + context.leaseMs
    return change(spec, instances, context, () =>
      orchestrator.handOver({ fault, service, engine: 'chaosMesh', resource, spec: spec.spec, instances, lastsMs }),
    )
  },
}
