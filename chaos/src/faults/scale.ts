import { ShaketableError } from '@shaketable/slo'
import type { FaultSpec } from '../experiment/model.ts'
import { choose } from '../random.ts'
import type { Fault } from './fault.ts'
import { howMany } from './words.ts'

/** Ends instances, and keeps them down until the undo brings them back. */
export const scale: Fault<Extract<FaultSpec, { kind: 'scale' }>> = {
  kind: 'scale',
  describe: spec => `scale ${spec.service} to ${spec.to}`,
  lacks: (spec, target) =>
    target.instances(spec.service).every(instance => instance.takeDown)
      ? undefined
      : `the ${target.kind} target cannot keep an instance down`,
  inject: async (spec, context) => {
    const up = context.target.instances(spec.service).filter(instance => instance.pid !== undefined)
    const chosen = choose(up, up.length - spec.to, context.seed)
    if (chosen.length === 0) {
      const words = `${spec.id}: ${howMany(up.length, spec.service)} up, so that nothing would be ended`
      throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', words)
    }
    const undo = async () => {
      await Promise.all(chosen.map(instance => instance.bringUp?.()))
    }
    try {
      for (const { id } of chosen) await context.journal({ fault: spec.id, instance: id, kind: spec.kind })
      await Promise.all(chosen.map(instance => instance.takeDown?.(spec.graceMs)))
    } catch (cause) {
      await undo().catch(() => {})
      throw cause
    }
    return {
      instances: chosen.map(({ id }) => id),
      renew: async () => {},
      hits: async () => ({ seen: chosen.length, hit: chosen.length }),
      undo,
    }
  },
}
