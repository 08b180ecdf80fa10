import { httpDurationBoundaries, label, metric } from '@shaketable/sdk/names'
import { readSamples } from '@shaketable/slo'

/** What a running service's `/metrics` says of one of its routes. */
export interface SeenRoute {
  method: string
  /** The template, e.g. `/product/:sku`. */
  route: string
  requests: number
  /** Answered under 500. */
  goodRatio: number
  /** Statuses under 400, the most frequent first. */
  statuses: number[]
  /** Within each of these many seconds came the share of the answers. */
  within: { seconds: number; ratio: number }[]
}

/** Probes and the like, which no user asks for. */
const ownRoutes = /^\/(?:health|healthz|livez?|readyz?|ready|live|metrics|ping|status|favicon\.ico)$/

/** The routes that were asked for, the busiest first. */
export function seenRoutes(metricsText: string): SeenRoute[] {
  const found = new Map<string, SeenRoute & { byStatus: Map<number, number>; buckets: Map<number, number> }>()
  const names = [`${metric.httpServerDuration}_count`, `${metric.httpServerDuration}_bucket`]
  for (const { name, labels, value } of readSamples(metricsText, each => names.includes(each))) {
    const { [label.method]: method, [label.route]: route, [label.status]: status } = labels
    if (method === undefined || route === undefined || route === '' || ownRoutes.test(route)) continue
    const key = `${method} ${route}`
    const of = found.get(key) ?? {
      method,
      route,
      requests: 0,
      goodRatio: 0,
      statuses: [],
      within: [],
      byStatus: new Map(),
      buckets: new Map(),
    }
    found.set(key, of)
    if (name === names[0]) {
      of.requests += value
      of.byStatus.set(Number(status), (of.byStatus.get(Number(status)) ?? 0) + value)
    } else of.buckets.set(Number(labels.le), (of.buckets.get(Number(labels.le)) ?? 0) + value)
  }
  return [...found.values()]
    .filter(({ requests }) => requests > 0)
    .map(({ byStatus, buckets, ...route }) => {
      const statuses = [...byStatus].sort((a, b) => b[1] - a[1])
      const good = statuses.reduce((sum, [status, count]) => sum + (status >= 100 && status < 500 ? count : 0), 0)
      return {
        ...route,
        goodRatio: good / route.requests,
        statuses: statuses.map(([status]) => status).filter(status => status >= 100 && status < 400),
        within: httpDurationBoundaries.map(seconds => ({
          seconds,
          ratio: (buckets.get(seconds) ?? 0) / route.requests,
        })),
      }
    })
    .sort((a, b) => b.requests - a.requests)
}
