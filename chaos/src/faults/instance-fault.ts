import { ShaketableError } from '@shaketable/slo'
import type { InstanceFaultSpec, ProcessFaultSpec } from '../experiment/model.ts'
import { choose } from '../random.ts'
import type { Instance } from '../targets/target.ts'
import type { InjectContext, Injected } from './fault.ts'

/** The instances that the seed chooses among those that are up; an action that selects too few is an error. */
export function chooseInstances(spec: InstanceFaultSpec | ProcessFaultSpec, context: InjectContext): Instance[] {
  const up = context.target.instances(spec.service).filter(instance => instance.pid !== undefined)
  const chosen = choose(up, spec.instances, context.seed)
  if (chosen.length < spec.instances) {
    throw new ShaketableError(
      'SHAKETABLE_NOTHING_TO_HIT',
      `${spec.id}: ${spec.instances} of ${spec.service} were asked for, and ${up.length} are up`,
    )
  }
  return chosen
}

/** A blow rather than a state: there is nothing to undo but its repetition, and the target restarts what died. */
export async function strike(
  spec: InstanceFaultSpec,
  chosen: Instance[],
  context: InjectContext,
  blow: (instance: Instance) => Promise<void>,
  everyMs: number | undefined,
): Promise<Injected> {
  const ended = new AbortController()
  let hit = 0

  const round = async () => {
    for (const instance of chosen) {
      if (instance.pid === undefined || ended.signal.aborted) continue
      await context.journal({ fault: spec.id, instance: instance.id, kind: spec.kind })
      await blow(instance)
      hit++
    }
  }
  await round()

  const repetition = (async () => {
    while (everyMs !== undefined && !ended.signal.aborted) {
      await context.world.clock.sleep(everyMs, ended.signal).catch(() => {})
      await round()
    }
  })()
  // Whoever undoes the fault hears of a blow that failed.
  repetition.catch(() => {})

  return {
    instances: chosen.map(instance => instance.id),
    renew: async () => {},
    hits: async () => ({ seen: hit, hit }),
    undo: async () => {
      ended.abort()
      await repetition
    },
  }
}
