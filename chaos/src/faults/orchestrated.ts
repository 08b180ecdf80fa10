import { ShaketableError } from '@shaketable/slo'
import type { FaultSpec } from '../experiment/model.ts'
import type { Change, Instance, Orchestrator, Target } from '../targets/target.ts'
import type { InjectContext, Injected } from './fault.ts'

export function needsOrchestrator({ kind, orchestrator }: Target): string | undefined {
  return orchestrator
    ? undefined
    : `it takes Kubernetes: nothing keeps the replicas of a ${kind} target but we ourselves`
}

export function orchestratorOf(target: Target): Orchestrator {
  if (target.orchestrator) return target.orchestrator
  throw new ShaketableError('SHAKETABLE_FAULT_REFUSED', needsOrchestrator(target) as string)
}

/** Announces it for every instance that it will strike, and has it done; it lives and is undone as the orchestrator's change. */
export async function change(
  spec: FaultSpec,
  instances: Instance[],
  context: InjectContext,
  begin: () => Promise<Change>,
): Promise<Injected> {
  if (instances.length === 0) {
    throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', `${spec.id}: no instance of ${spec.service} is up`)
  }
  for (const { id } of instances) await context.journal({ fault: spec.id, instance: id, kind: spec.kind })
  const { hits, undo } = await begin()
  return { instances: instances.map(({ id }) => id), renew: async () => {}, hits, undo }
}

export const upOf = ({ service }: FaultSpec, { target }: InjectContext): Instance[] =>
  target.instances(service).filter(({ pid }) => pid !== undefined)
