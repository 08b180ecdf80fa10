import {
  type AlertTransition,
  type BurnRateEvaluator,
  countGood,
  createBurnRateEvaluator,
  type Objective,
} from '@shaketable/slo'
import type { Instance, Target } from '../targets/target.ts'
import type { Clock } from '../world.ts'

const scrapeEveryMs = 500
const scrapeTimeoutMs = 450

interface Counters {
  good: number
  total: number
}

/**
 * Reads what the services themselves count for each objective, and evaluates the objectives' own burn-rate alerts on it.
 *
 * An instance is scraped on its health listener twice a second. Its counters are added up as increases, so that one that
 * dies and starts anew at zero loses only what it counted since its last scrape.
 */
export class CounterWatch {
  readonly alerts: AlertTransition[] = []
  readonly #watched: Watched[]
  readonly #target: Target
  readonly #clock: Clock
  readonly #stopping = new AbortController()
  #loop: Promise<void> | undefined
  #scraping: Promise<void> | undefined

  constructor(objectives: Objective[], windowScale: number, target: Target, clock: Clock) {
    this.#target = target
    this.#clock = clock
    this.#watched = objectives.flatMap(objective =>
      objective.indicator.type === 'shaketable' && objective.indicator.selector.signal === 'http-server'
        ? [
            {
              objective,
              service: objective.indicator.selector.service,
              evaluator: createBurnRateEvaluator(objective, { windowScale }),
              lastByInstance: new Map(),
              sum: { good: 0, total: 0 },
            },
          ]
        : [],
    )
  }

  async start(): Promise<void> {
    await this.scrape()
    this.#loop = (async () => {
      while (!this.#stopping.signal.aborted) {
        await this.#clock.sleep(scrapeEveryMs, this.#stopping.signal).catch(() => {})
        if (!this.#stopping.signal.aborted) await this.scrape()
      }
    })()
  }

  /** Reads every instance once, now. */
  async scrape(): Promise<void> {
    await this.#scraping
    this.#scraping = this.#scrapeAll()
    await this.#scraping
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#loop
  }

  /** The sums by objective since `start`; nothing for an objective whose service has never answered. */
  sums(): Record<string, Counters | undefined> {
    return Object.fromEntries(
      this.#watched.map(one => [one.objective.name, one.lastByInstance.size > 0 ? { ...one.sum } : undefined]),
    )
  }

  /** Objectives whose page fires at this moment. */
  firing(): string[] {
    return this.#watched.filter(one => one.evaluator.state().page).map(one => one.objective.name)
  }

  async #scrapeAll(): Promise<void> {
    const services = new Set(this.#watched.map(one => one.service))
    await Promise.all(
      [...services].flatMap(service =>
        this.#target.instances(service).map(async instance => {
          const text = await readMetrics(instance)
          if (text === undefined) return
          for (const one of this.#watched) {
            if (one.service === service) addIncrease(one, instance.id, countGood(text, one.objective))
          }
        }),
      ),
    )
    const at = this.#clock.now()
    for (const one of this.#watched) this.alerts.push(...one.evaluator.observe(at, one.sum))
  }
}

interface Watched {
  objective: Objective
  service: string
  evaluator: BurnRateEvaluator
  lastByInstance: Map<string, Counters>
  sum: Counters
}

function addIncrease(one: Watched, instance: string, now: Counters): void {
  const last = one.lastByInstance.get(instance)
  one.lastByInstance.set(instance, now)
  if (!last) return
  const startedAnew = now.total < last.total
  one.sum.good += startedAnew ? now.good : Math.max(0, now.good - last.good)
  one.sum.total += startedAnew ? now.total : now.total - last.total
}

async function readMetrics(instance: Instance): Promise<string | undefined> {
  if (!instance.adminUrl || instance.pid === undefined) return undefined
  try {
    const response = await fetch(new URL('/metrics', instance.adminUrl), {
      headers: { accept: 'text/plain' },
      signal: AbortSignal.timeout(scrapeTimeoutMs),
    })
    return response.ok ? await response.text() : undefined
  } catch {
    return undefined
  }
}
