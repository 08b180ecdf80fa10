import type { FaultSpec } from '../experiment/model.ts'
import type { Fault } from './fault.ts'
import { chooseInstances } from './instance-fault.ts'
import { howMany } from './words.ts'

/** SIGSTOP: the process keeps its sockets and answers nothing. The undo is SIGCONT; the keeper holds it too. */
export const freeze: Fault<Extract<FaultSpec, { kind: 'freeze' }>> = {
  kind: 'freeze',
  describe: spec => `freeze ${howMany(spec.instances, spec.service)}`,
  inject: async (spec, context) => {
    const chosen = chooseInstances(spec, context)
    const undo = async () => {
      await Promise.all(chosen.map(instance => instance.resume()))
    }
    try {
      for (const instance of chosen) {
        await context.journal({ fault: spec.id, instance: instance.id, kind: spec.kind })
        await instance.freeze()
      }
    } catch (cause) {
      await undo().catch(() => {})
      throw cause
    }
    return {
      instances: chosen.map(instance => instance.id),
      renew: async () => {},
      hits: async () => ({ seen: chosen.length, hit: chosen.length }),
      undo,
    }
  },
}
