import type { Clock } from '../world.ts'
import { enableProxy, type ProxyAddress, removeToxic, seeProxy } from './toxiproxy.ts'

const withinMs = 5000
const pollMs = 100

/** What a run has laid on a proxy, or was about to: a toxic of this name, or that it is down. */
export interface ShakenProxy extends ProxyAddress {
  toxic: string | undefined
}

/** Resolves with what it took, once Toxiproxy shows the proxy without it. Two at once do not disturb one another. */
export async function restore(shaken: ShakenProxy, clock: Clock): Promise<string> {
  let refusal: unknown
  let done = 'found as it was'
  for (const until = clock.now() + withinMs; ; ) {
    try {
      const { enabled, toxics } = await seeProxy(shaken)
      const { toxic } = shaken
      if (toxic === undefined ? enabled : !toxics.some(({ name }) => name === toxic)) return done
      if (toxic === undefined) await enableProxy(shaken, true)
      else await removeToxic(shaken, toxic)
      done = toxic === undefined ? 'enabled' : `freed of ${toxic}`
      continue
    } catch (error) {
      refusal = error
    }
    if (clock.now() > until) break
    await clock.sleep(pollMs)
  }
  throw new Error(`is not as it was after ${withinMs / 1000} s: ${(refusal as Error).message}`, { cause: refusal })
}

/** Restores what a dead run left, for the keeper and `sweep`. */
export async function restoreAll(
  shaken: ShakenProxy[],
  clock: Clock,
): Promise<{ undone: string[]; problems: string[] }> {
  const [undone, problems]: [string[], string[]] = [[], []]
  await Promise.all(
    shaken.map(async each => {
      const who = `the proxy ${each.proxy} of ${each.api}`
      try {
        undone.push(`${who} ${await restore(each, clock)}`)
      } catch (error) {
        problems.push(`${who} ${(error as Error).message}`)
      }
    }),
  )
  return { undone, problems }
}
