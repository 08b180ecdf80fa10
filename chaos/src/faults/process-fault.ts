import type { ProcessEffect } from '@shaketable/sdk/faults'
import type { ProcessFaultSpec } from '../experiment/model.ts'
import type { InjectContext, Injected } from './fault.ts'
import { chooseInstances } from './instance-fault.ts'
import { armIn } from './request-fault.ts'

/** Arms a burden inside the instances that the seed chooses. */
export async function burden(spec: ProcessFaultSpec, effect: ProcessEffect, context: InjectContext): Promise<Injected> {
  const { seed, leaseMs } = context
  return armIn(chooseInstances(spec, context), spec, context, () => ({
    effect,
    match: { direction: 'process' },
    percent: 100,
    scope: 'request',
    seed,
    leaseMs,
  }))
}
