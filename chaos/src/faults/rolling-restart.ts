import { ShaketableError } from '@shaketable/slo'
import type { FaultSpec } from '../experiment/model.ts'
import type { Instance } from '../targets/target.ts'
import type { Fault, InjectContext, Injected } from './fault.ts'
import { change, upOf } from './orchestrated.ts'
import { duration } from './words.ts'

type RollingRestart = Extract<FaultSpec, { kind: 'rollingRestart' }>

const pollMs = 50

/**
 * Every instance is replaced by the orchestrator's own rules, and the undo waits until that has come to its end; where there is no
 * orchestrator, one instance after the other gets SIGTERM, and the undo stops it there.
 */
export const rollingRestart: Fault<RollingRestart> = {
  kind: 'rollingRestart',
  describe: spec => `rolling restart of ${spec.service}, grace ${duration(spec.graceMs)}`,
  inject: async (spec, context) => {
    const { orchestrator } = context.target
    if (orchestrator) {
      return change(spec, upOf(spec, context), context, () => orchestrator.rollingRestart(spec.service))
    }
    const instances = context.target.instances(spec.service)
    if (instances.length === 0) {
      throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', `${spec.id}: ${spec.service} has no instance to restart`)
    }
    return roll(spec, instances, context)
  },
}

/** The first is struck before this resolves; the others follow by themselves. */
async function roll(spec: RollingRestart, instances: Instance[], context: InjectContext): Promise<Injected> {
  const { clock } = context.world
  const ended = new AbortController()
  const ready = new Set<string>()
  context.target.events(({ kind, instance }) => {
    if (kind === 'ready') ready.add(instance)
  })
  let hit = 0

  const strike = async (instance: Instance) => {
    await context.journal({ fault: spec.id, instance: instance.id, kind: spec.kind })
    ready.delete(instance.id)
    await instance.terminate(spec.graceMs)
    hit++
  }
  const readyAgain = async (instance: Instance) => {
    for (const until = clock.now() + spec.readyWithinMs; !ready.has(instance.id) && !ended.signal.aborted; ) {
      if (clock.now() > until) {
        const words = `${spec.id}: ${instance.id} is not ready ${duration(spec.readyWithinMs)} after its restart, so the others were left alone`
        throw new ShaketableError('SHAKETABLE_NOT_READY', words)
      }
      await clock.sleep(pollMs, ended.signal).catch(() => {})
    }
  }

  const [first, ...others] = instances as [Instance, ...Instance[]]
  await strike(first)
  const rest = (async () => {
    await readyAgain(first)
    for (const instance of others) {
      if (ended.signal.aborted) return
      await strike(instance)
      await readyAgain(instance)
    }
  })()
  // Whoever undoes the fault hears of it.
  rest.catch(() => {})
  return {
    instances: instances.map(({ id }) => id),
    renew: async () => {},
    hits: async () => ({ seen: instances.length, hit }),
    undo: async () => {
      ended.abort()
      await rest
    },
  }
}
