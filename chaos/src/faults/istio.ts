import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { change, needsOrchestrator, orchestratorOf, upOf } from './orchestrated.ts'

/** Requests are struck in the sidecars of the callers, by a VirtualService. It does not end by itself: the keeper removes it. */
export const istio: Fault<Extract<FaultSpec, { kind: 'istio' }>> = {
  kind: 'istio',
  describe: spec => `${Object.keys(spec.fault).join(' and ')} by Istio on requests to ${spec.host ?? spec.service}`,
  refuses: needsOrchestrator,
  inject: (spec, context) => {
    const orchestrator = orchestratorOf(context.target)
    const instances = upOf(spec, context)
    const host = spec.host ?? spec.service
    const order = {
      fault: spec.id,
      service: spec.service,
      engine: 'istio' as const,
      resource: 'VirtualService',
      spec: { hosts: [host], http: [{ fault: spec.fault, route: [{ destination: { host } }] }] },
      instances,
      lastsMs: spec.durationMs + context.leaseMs,
    }
    return change(spec, instances, context, () => orchestrator.handOver(order))
  },
}
