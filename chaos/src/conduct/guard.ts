import { formatDuration } from '@shaketable/slo'
import { plannedRequests } from '../experiment/feeding.ts'
import { allowedBad, fewestInWindow } from '../experiment/guard.ts'
import type { Experiment, Guard } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import { percent } from '../verdict/percent.ts'
import { targetOf } from '../verdict/soundness.ts'
import { type Event, eventsOf } from '../verdict/tally.ts'
import type { Clock } from '../world.ts'

const probeEveryMs = 200
const probeTimeoutMs = 250
/** One probe may be lost to anything. */
const failuresInARow = 2

/** When a guard's condition came true, on the runner's clock, and what was seen. */
export interface Breach {
  at: number
  reason: string
}

/** The conditions of a guard on its objectives, followed through the samples as they come. A request counts once it is answered. */
export class ObjectiveGuard {
  readonly #watched: Watched[]
  readonly #experiment: Experiment
  #faultsSince = Number.POSITIVE_INFINITY

  constructor(experiment: Experiment, guard: Guard) {
    this.#experiment = experiment
    const { faultMs, recoveryMs } = experiment.phases
    this.#watched = guard.objectives.map(objective => {
      const target = targetOf(objective.name, objective.target, experiment.expect)
      const planned = plannedRequests(objective, experiment.load, faultMs + recoveryMs).count
      const conditions: Condition[] = []
      if (guard.budget !== undefined) conditions.push(budgetCondition(objective.name, guard.budget, planned, target))
      if (guard.errorRatio) conditions.push(ratioCondition(objective.name, guard.errorRatio))
      return { objective, conditions }
    })
  }

  /** From here on what is bad is spent of the budget. */
  faultBegins(at: number): void {
    this.#faultsSince = at
  }

  /** The first breach among these samples, if there is one. */
  add(samples: readonly LoadSample[]): Breach | undefined {
    const breaches = this.#watched.flatMap(({ objective, conditions }) => {
      const events = eventsOf(objective, this.#experiment, samples).sort((a, b) => a.end - b.end)
      return conditions.flatMap(breached => {
        for (const event of events) {
          const reason = breached(event, event.at >= this.#faultsSince)
          if (reason !== undefined) return [{ at: event.end, reason }]
        }
        return []
      })
    })
    return breaches.sort((a, b) => a.at - b.at)[0]
  }
}

/** Says what was seen once it is breached. */
type Condition = (event: Event, sinceFault: boolean) => string | undefined

interface Watched {
  objective: Guard['objectives'][number]
  conditions: Condition[]
}

function budgetCondition(name: string, share: number, planned: number, target: number): Condition {
  const allowed = allowedBad(share, planned, target)
  let bad = 0
  return ({ good }, sinceFault) => {
    if (good || !sinceFault) return undefined
    bad++
    return bad > allowed
      ? `${name} spent over ${percent(share)} of the experiment's budget: ${bad} bad requests, where ${planned} at ${percent(target)} may have ${Number(allowed.toFixed(1))}`
      : undefined
  }
}

function ratioCondition(name: string, { above, overMs }: NonNullable<Guard['errorRatio']>): Condition {
  let window: Event[] = []
  /** Those before it are too old. */
  let first = 0
  let bad = 0
  return event => {
    window.push(event)
    if (!event.good) bad++
    for (; window[first]!.end <= event.end - overMs; first++) if (!window[first]!.good) bad--
    if (first > window.length / 2) {
      window = window.slice(first)
      first = 0
    }
    const count = window.length - first
    return count >= fewestInWindow && bad / count > above
      ? `${bad} of ${count} requests within ${formatDuration(overMs)} were bad for ${name}, over ${percent(above)}`
      : undefined
  }
}

/** Resolves once no instance of a service has answered its probe with a 2xx, twice in a row; never where the signal aborts. */
export async function healthBreach(
  { service, path }: NonNullable<Guard['health']>,
  urls: string[],
  clock: Clock,
  signal: AbortSignal,
  probe: (url: string) => Promise<boolean> = answersWell,
): Promise<Breach | undefined> {
  for (let failures = 0; !signal.aborted; ) {
    const healthy = await Promise.any(
      urls.map(async url => {
        if (!(await probe(new URL(path, url).href))) throw new Error(`${url} is not healthy`)
      }),
    ).then(
      () => true,
      () => false,
    )
    failures = healthy ? 0 : failures + 1
    if (failures === failuresInARow) {
      const reason = `no instance of ${service} answered GET ${path} with a 2xx within ${probeTimeoutMs} ms, ${failuresInARow} times in a row`
      return { at: clock.now(), reason }
    }
    await clock.sleep(probeEveryMs, signal).catch(() => {})
  }
  return undefined
}

async function answersWell(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(probeTimeoutMs) })
    await response.arrayBuffer()
    return response.ok
  } catch {
    return false
  }
}
