import type { InstanceFaultSpec } from '../experiment/model.ts'
import type { Instance } from '../targets/target.ts'
import type { InjectContext, Injected } from './fault.ts'
import { chooseInstances } from './instance-fault.ts'

/** A state in which instances are held by the target until the undo lets them go. */
export async function hold(
  spec: InstanceFaultSpec,
  context: InjectContext,
  how: { take(instance: Instance): Promise<void>; release(instance: Instance): Promise<void> },
): Promise<Injected> {
  const chosen = chooseInstances(spec, context)
  const undo = async () => {
    await Promise.all(chosen.map(how.release))
  }
  try {
    for (const instance of chosen) {
      await context.journal({ fault: spec.id, instance: instance.id, kind: spec.kind })
      await how.take(instance)
    }
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
}
