import { ShaketableError } from '@shaketable/slo'
import type { System } from '../experiment/model.ts'
import type { Target } from '../targets/target.ts'
import type { Clock } from '../world.ts'

const withinMs = 30_000
const pollMs = 100

/** Resolves when every instance with a health listener is up and ready again: the last experiment may have shaken one. */
export async function awaitReady(system: System, target: Target, clock: Clock, signal: AbortSignal): Promise<void> {
  const until = clock.now() + withinMs
  for (const service of system.services) {
    if (service.ready === 'tcp') continue
    for (const instance of target.instances(service.name)) {
      while (instance.pid === undefined || !instance.adminUrl || !(await isReady(instance.adminUrl, service.ready))) {
        if (clock.now() > until) {
          throw new ShaketableError(
            'SHAKETABLE_NOT_READY',
            `${instance.id} is not ready ${withinMs / 1000} s after the last experiment ended`,
            { hint: 'its log is in the report’s folder (--report DIR)' },
          )
        }
        await clock.sleep(pollMs, signal)
      }
    }
  }
}

async function isReady(adminUrl: string, path: string): Promise<boolean> {
  try {
    const response = await fetch(new URL(path, adminUrl), { signal: AbortSignal.timeout(1000) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
