import type { ArmRequest, FaultEffect, FaultMatch } from '@shaketable/sdk/faults'
import { ShaketableError } from '@shaketable/slo'
import type { RequestFaultSpec } from '../experiment/model.ts'
import type { Instance } from '../targets/target.ts'
import type { InjectContext, Injected } from './fault.ts'
import { FaultControl } from './fault-control.ts'

/**
 * Arms a fault inside every instance of the service, or, with `from`, inside every instance of the caller.
 *
 * An instance that starts anew in mid-fault comes up without it: `renew` finds that out and arms it again. An instance
 * that is down holds no fault; one that is alive and cannot be reached is waited for until its lease must have run out.
 */
export async function injectIntoRequests(
  spec: RequestFaultSpec,
  effect: FaultEffect,
  context: InjectContext,
): Promise<Injected> {
  const host = spec.from ?? spec.service
  const instances = context.target.instances(host)
  const request: ArmRequest = {
    effect,
    match: matchOf(spec, context),
    percent: spec.percent,
    scope: spec.scope,
    seed: context.seed,
    leaseMs: context.leaseMs,
  }
  const controls = instances.map(instance => controlOf(instance))
  if (controls.length === 0) {
    throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', `${spec.id}: ${host} has no instance to inject into`)
  }

  const undo = async () => {
    const results = await Promise.allSettled(controls.map(control => control.disarm(spec.id)))
    const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, spec.id)
  }

  try {
    for (const { id } of instances) await context.journal({ fault: spec.id, instance: id, kind: spec.kind })
    await Promise.all(controls.map(control => control.arm(spec.id, request)))
  } catch (cause) {
    await undo().catch(() => {})
    throw cause
  }

  return {
    instances: instances.map(instance => instance.id),
    renew: async () => {
      await Promise.all(controls.map(control => control.renew(spec.id, request)))
    },
    hits: async () => {
      const counts = await Promise.all(controls.map(control => control.counts(spec.id)))
      return counts.reduce((sum, one) => ({ seen: sum.seen + one.seen, hit: sum.hit + one.hit }), { seen: 0, hit: 0 })
    },
    undo,
  }

  function controlOf(instance: Instance): FaultControl {
    return new FaultControl(instance, context.leaseMs, context.world.clock)
  }
}

function matchOf(spec: RequestFaultSpec, context: InjectContext): FaultMatch {
  const match: FaultMatch = { direction: spec.from ? 'outbound' : 'inbound' }
  if (spec.method) match.method = spec.method
  if (spec.path) match.path = spec.path
  if (spec.from) match.peers = context.target.urls(spec.service).map(url => new URL(url).host)
  return match
}
