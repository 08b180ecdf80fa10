import type { Container } from 'dockerode'
import type { Clock } from '../../world.ts'
import { connect, statusOf } from './engine.ts'
import { reconnect } from './networks.ts'
import type { ShakenContainer } from './shaken.ts'

const withinMs = 5000
const pollMs = 50

/** Resolves with what it took, once the engine shows the container running and not paused. Two at once do not disturb one another. */
export async function restore(container: Container, clock: Clock): Promise<string> {
  const done = new Set<string>()
  let refusal: unknown
  for (const until = clock.now() + withinMs; ; ) {
    try {
      const { State: state } = await container.inspect({ abortSignal: AbortSignal.timeout(withinMs) })
      if (state.Running && !state.Paused) return [...done].join(' and ') || 'found running'
      if (state.Paused) await container.unpause()
      else await container.start()
      done.add(state.Paused ? 'resumed' : 'started again')
    } catch (error) {
      if (statusOf(error) === 404) return 'found removed'
      refusal = error
    }
    if (clock.now() > until) break
    await clock.sleep(pollMs)
  }
  const reason = refusal instanceof Error ? refusal.message : 'it does not stay up'
  throw new Error(`is not running again after ${withinMs / 1000} s: ${reason}`, { cause: refusal })
}

/** Restores what a dead run left, for the keeper and `sweep`. */
export async function restoreAll(
  shaken: ShakenContainer[],
  clock: Clock,
): Promise<{ undone: string[]; problems: string[] }> {
  const [undone, problems]: [string[], string[]] = [[], []]
  await Promise.all(
    shaken.map(async ({ instance, name, container, engine, memberships, limits }) => {
      const who = `${instance} (container ${name})`
      const docker = connect(engine)
      try {
        if (memberships) undone.push(`${await reconnect(docker, container, memberships)} ${who}`)
        else if (limits) {
          await docker.getContainer(container).update(limits)
          undone.push(`gave ${who} its limits back`)
        } else undone.push(`${await restore(docker.getContainer(container), clock)} ${who}`)
      } catch (error) {
        problems.push(`${who} ${(error as Error).message}`)
      }
    }),
  )
  return { undone, problems }
}
