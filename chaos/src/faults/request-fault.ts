import type { ArmRequest, FaultEffect, FaultMatch } from '@shaketable/sdk/faults'
import { ShaketableError } from '@shaketable/slo'
import type { FaultSpec, RequestFaultSpec } from '../experiment/model.ts'
import { choose } from '../random.ts'
import type { Instance } from '../targets/target.ts'
import type { InjectContext, Injected } from './fault.ts'
import { FaultControl } from './fault-control.ts'

/**
 * Arms a fault inside the instances of the service, or, with `from`, inside those of the caller.
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
  const all = context.target.instances(host)
  const instances = spec.among === undefined ? all : choose(all, spec.among, context.seed)
  if (instances.length === 0 || instances.length < (spec.among ?? 0)) {
    const words = `${spec.id}: ${spec.among ?? 'some'} of ${host} were asked for, and there are ${all.length} to inject into`
    throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', words)
  }
  const { percent, scope, ramp, pulse } = spec
  const beganAt = context.world.clock.now()
  return armIn(instances, spec, context, () => {
    const schedule = { ...(ramp && { ramp }), ...(pulse && { pulse }), ageMs: context.world.clock.now() - beganAt }
    return {
      effect,
      match: matchOf(spec, context),
      percent,
      scope,
      seed: context.seed,
      leaseMs: context.leaseMs,
      ...((ramp || pulse) && { schedule }),
    }
  })
}

/** Arms one request in each of these instances, and keeps it armed. `request` is asked anew where one has to be armed again. */
export async function armIn(
  instances: Instance[],
  spec: FaultSpec,
  context: InjectContext,
  request: () => ArmRequest,
): Promise<Injected> {
  const controls = instances.map(instance => new FaultControl(instance, context.leaseMs, context.world.clock))
  const undo = async () => {
    const results = await Promise.allSettled(controls.map(control => control.disarm(spec.id)))
    const failures = results.flatMap(result => (result.status === 'rejected' ? [result.reason] : []))
    if (failures.length > 0) throw failures.length === 1 ? failures[0] : new AggregateError(failures, spec.id)
  }

  try {
    for (const { id } of instances) await context.journal({ fault: spec.id, instance: id, kind: spec.kind })
    await Promise.all(controls.map(control => control.arm(spec.id, request())))
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
      const total = (of: 'seen' | 'hit' | 'expected') => counts.reduce((sum, one) => sum + one[of], 0)
      return { seen: total('seen'), hit: total('hit'), expected: total('expected') }
    },
    undo,
  }
}

function matchOf(spec: RequestFaultSpec, context: InjectContext): FaultMatch {
  const urls = context.target.urls(spec.service).map(url => new URL(url))
  const peers = urls.map(url => url.host)
  // A dependency without the SDK that speaks no HTTP (`ready: tcp`).
  const tag = spec.traffic === 'load' && context.tag !== undefined ? { tag: context.tag } : {}
  if (spec.from && urls.every(url => url.protocol === 'tcp:')) return { direction: 'tcp', peers, ...tag }
  const match: FaultMatch = { direction: spec.from ? 'outbound' : 'inbound', ...tag }
  if (spec.method) match.method = spec.method
  if (spec.path) match.path = spec.path
  if (spec.headers) match.headers = spec.headers
  if (spec.from) match.peers = peers
  return match
}
