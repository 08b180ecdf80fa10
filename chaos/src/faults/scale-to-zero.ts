import { ShaketableError } from '@shaketable/slo'
import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { change, upOf } from './orchestrated.ts'

/**
 * No instance is left. The undo gives an orchestrator the replicas that it had, unless somebody else has scaled it meanwhile; where
 * there is none, it brings back what it has ended.
 */
export const scaleToZero: Fault<Extract<FaultSpec, { kind: 'scaleToZero' }>> = {
  kind: 'scaleToZero',
  describe: spec => `scale ${spec.service} to zero`,
  refuses: (target, spec) =>
    target.orchestrator || target.instances(spec.service).every(instance => instance.takeDown)
      ? undefined
      : `the ${target.kind} target cannot keep an instance down`,
  inject: async (spec, context) => {
    const { orchestrator } = context.target
    const up = upOf(spec, context)
    if (orchestrator) return change(spec, up, context, () => orchestrator.scaleToZero(spec.service))
    if (up.length === 0) {
      throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', `${spec.id}: no instance of ${spec.service} is up`)
    }
    const undo = async () => {
      await Promise.all(up.map(instance => instance.bringUp?.()))
    }
    try {
      for (const { id } of up) await context.journal({ fault: spec.id, instance: id, kind: spec.kind })
      await Promise.all(up.map(instance => instance.takeDown?.(spec.graceMs)))
    } catch (cause) {
      await undo().catch(() => {})
      throw cause
    }
    return {
      instances: up.map(({ id }) => id),
      renew: async () => {},
      hits: async () => ({ seen: up.length, hit: up.length }),
      undo,
    }
  },
}
