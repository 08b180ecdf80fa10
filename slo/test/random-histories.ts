import fc from 'fast-check'

export const scrapeMs = 15_000
export const scrapes = 160
/** In blocks that lie two hours back, so that none is in Prometheus' head. */
export const beganAt = Math.floor(Date.now() / 3_600_000) * 3_600_000 - 4 * 3_600_000

/** One interval of one replica: what it answered, and what became of it before the next scrape. */
const interval = fc.record({
  good: fc.nat(40),
  slow: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  failed: fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat(20)),
  fate: fc.oneof(
    { weight: 30, arbitrary: fc.constant('scraped' as const) },
    { weight: 3, arbitrary: fc.constant('missed' as const) },
    { weight: 1, arbitrary: fc.constant('restarted' as const) },
  ),
})
const replica = fc.record({
  bornAt: fc.oneof(fc.constant(0), fc.nat(scrapes - 20)),
  intervals: fc.array(interval, { minLength: scrapes, maxLength: scrapes }),
})
const histories = fc.sample(fc.array(replica, { minLength: 1, maxLength: 3 }), { seed: 20_261_125, numRuns: 60 })

/** What a replica shows when it is scraped. */
export interface Scrape {
  /** Which of its processes, one after the other, shows it. */
  process: number
  good: number
  slow: number
  failed: number
}

/** What each replica of a service shows at each scrape; `undefined` where it is not seen. */
export type History = (Scrape | undefined)[][]

export const randomHistories: History[] = histories.map(replicas => replicas.map(scrapesOf))

function scrapesOf({ bornAt, intervals }: (typeof histories)[number][number]): (Scrape | undefined)[] {
  let counts: Scrape = { process: 0, good: 0, slow: 0, failed: 0 }
  return intervals.map(({ good, slow, failed, fate }, index) => {
    if (index < bornAt) return undefined
    if (fate === 'restarted') counts = { process: counts.process + 1, good: 0, slow: 0, failed: 0 }
    counts = { ...counts, good: counts.good + good, slow: counts.slow + slow, failed: counts.failed + failed }
    return fate === 'missed' ? undefined : counts
  })
}

export const answeredOf = ({ good, slow }: Scrape): number => good + slow
export const totalOf = (scrape: Scrape): number => answeredOf(scrape) + scrape.failed

/** As OpenMetrics, with times. A series that has counted nothing is not there yet. */
export function expositionOf(service: string, history: History): string[] {
  return history.flatMap((scrapes, instance) => {
    const labels = `job="${service}",instance="${instance}",http_request_method="POST",http_route="/checkout"`
    const series = (name: string, more: string, value: (scrape: Scrape) => number, born: (scrape: Scrape) => number) =>
      scrapes.flatMap((scrape, index) => {
        if (!scrape || born(scrape) === 0) return []
        const at = (beganAt + index * scrapeMs) / 1000
        return [`http_server_request_duration_seconds_${name}{${labels},${more}} ${value(scrape)} ${at}`]
      })
    const failedOf = ({ failed }: Scrape) => failed
    return [
      ...series('count', 'http_response_status_code="201"', answeredOf, answeredOf),
      ...series('bucket', 'http_response_status_code="201",le="0.5"', ({ good }) => good, answeredOf),
      ...series('count', 'http_response_status_code="503"', failedOf, failedOf),
      ...series('bucket', 'http_response_status_code="503",le="0.5"', failedOf, failedOf),
    ]
  })
}

/** The most that each replica counted between two scrapes that saw it, as far as the window reaches; in sum. */
export function largestSteps(history: History, until: number, windowMs: number): number {
  const from = until - windowMs / scrapeMs - 1
  let sum = 0
  for (const scrapes of history) {
    let last = 0
    let largest = 0
    for (const [index, scrape] of scrapes.slice(0, until + 1).entries()) {
      if (!scrape) continue
      const total = totalOf(scrape)
      if (index >= from) largest = Math.max(largest, total >= last ? total - last : total)
      last = total
    }
    sum += largest
  }
  return sum
}

/** Whether nothing can be known in two ways: every replica was seen at both ends, as one process, with no series' birth between. */
export function isPlain(history: History, from: number, to: number): boolean {
  return history.every(scrapes => {
    const [first, last] = [scrapes[from], scrapes[to]]
    if (first === undefined || last === undefined) return scrapes.slice(0, to + 1).every(each => each === undefined)
    const grew = (count: (scrape: Scrape) => number) => count(first) > 0 || count(last) === 0
    return first.process === last.process && grew(answeredOf) && grew(({ failed }) => failed)
  })
}
