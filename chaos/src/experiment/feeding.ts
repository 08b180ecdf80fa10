import type { Objective } from '@shaketable/slo'
import type { Experiment, Step } from './model.ts'

type Load = Experiment['load'][number]

/** How many requests of one arrival an objective counts, as the client sees them. */
export function countedSteps(objective: Objective, load: Load): number {
  return load.journey.steps.filter(step => counts(objective, step)).length
}

/** Does the objective count this request? Its route template is compared with the path that the client asks for. */
export function counts({ indicator }: Objective, { request }: Step): boolean {
  if (indicator.type !== 'shaketable' || indicator.selector.signal !== 'http-server') return false
  const { service, method, route } = indicator.selector
  if (request.to !== service) return false
  if (method !== undefined && request.method !== method) return false
  return route === undefined || fits(route, request.path.split(/[?#]/)[0]!)
}

function fits(route: string, path: string): boolean {
  const wanted = segments(route)
  const asked = segments(path)
  for (const [index, segment] of wanted.entries()) {
    if (segment.startsWith('*')) return true
    const value = asked[index]
    if (value === undefined) return false
    // What a captured value will be is not known, so that it may fit anything.
    if (!isParameter(segment) && segment !== value && !value.includes('${')) return false
  }
  return wanted.length === asked.length
}

/** `:id` of Express, Fastify and Koa; `{id}` of Hapi and OpenAPI. */
const isParameter = (segment: string) => segment.startsWith(':') || /^\{.*\}$/.test(segment)

function segments(path: string): string[] {
  return path.split('/').filter(segment => segment !== '')
}

/** Requests that an objective will count over fault and recovery, and how many a second that is. */
export function plannedRequests(objective: Objective, loads: Load[], ms: number): { count: number; perSecond: number } {
  let count = 0
  let perSecond = 0
  for (const load of loads) {
    const steps = countedSteps(objective, load)
    count += Math.floor((load.ratePerSecond * ms) / 1000 + 1e-9) * steps
    perSecond += load.ratePerSecond * steps
  }
  return { count, perSecond }
}

/** The lower end of the Wilson interval when every one of `count` requests is good. */
export function bestLowerBound(count: number, deviations: number): number {
  return count / (count + deviations ** 2)
}

/** How many flawless requests it takes before that lower end reaches the target. */
export function requestsToProve(target: number, deviations: number): number {
  return Math.ceil((deviations ** 2 * target) / (1 - target) - 1e-6)
}
