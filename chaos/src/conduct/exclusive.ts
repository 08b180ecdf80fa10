import { exitCode, ShaketableError } from '@shaketable/slo'
import type { System } from '../experiment/model.ts'
import { FaultControl } from '../faults/fault-control.ts'
import type { Instance, Target } from '../targets/target.ts'
import type { World } from '../world.ts'
import { findRuns, systemOf } from './sweep.ts'

/**
 * Two experiments on one system would each measure the other's faults. Looks at the journals of this machine, where our own stands
 * already, so that of two that begin at once none goes on; and into every instance, for a run of another machine.
 *
 * @throws where another experiment is on the system, with who it is. What we start ourselves is ours alone.
 */
export async function mustBeAlone(system: System, target: Target, runId: string, world: World): Promise<void> {
  if (target.kind === 'local') return
  for (const run of await findRuns(world.env)) {
    const { began } = run.recorded
    if (run.runId === runId || !began || began.target === 'local' || systemOf(run) !== system.name) continue
    if (run.state === 'live') {
      const words = `another run is on the system "${system.name}": ${run.runId} (${began.target}, pid ${began.pid})`
      throw busy(words, 'wait for its end, or end it: shaketable halt')
    }
    const words = `a run on the system "${system.name}" died and may have left something: ${run.runId} (${began.target}, pid ${began.pid})`
    throw busy(words, 'shaketable sweep undoes what it left')
  }
  const instances = system.services.flatMap(({ name }) => target.instances(name))
  await Promise.all(instances.map(instance => mustBeUnarmed(instance, world)))
}

async function mustBeUnarmed(instance: Instance, { clock }: World): Promise<void> {
  if (!instance.faultControl) return
  const armed = (await new FaultControl(instance, 0, clock).armed()) ?? []
  if (armed.length === 0) return
  const ids = armed.map(({ id, expiresInMs }) => `${id} (its lease ends in ${(expiresInMs / 1000).toFixed(1)} s)`)
  const words = `another experiment is armed on ${instance.id}: ${ids.join(', ')}`
  throw busy(words, 'find out whose it is; a fault whose runner is dead is gone with its lease')
}

function busy(words: string, hint: string): ShaketableError {
  return new ShaketableError('SHAKETABLE_BUSY', `${words}; nothing was injected`, {
    exitCode: exitCode.invalidInput,
    hint,
  })
}
