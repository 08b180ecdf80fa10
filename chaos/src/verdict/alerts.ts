import { duration } from '../faults/words.ts'
import type { ExpectationReport } from '../report/model.ts'
import type { AlertTransition, Observations } from './observations.ts'

/** A page that begins to fire. */
export const isPage = (alert: AlertTransition): boolean => alert.severity === 'page' && alert.state === 'firing'

/** Pages that the fault may have caused: not those of objectives whose page fired before it. */
export function pagesSinceFault({ phases, alerts }: Observations): AlertTransition[] {
  const { fault } = phases
  if (!fault) return []
  const before = new Set(alerts.filter(alert => isPage(alert) && alert.at < fault.start).map(alert => alert.objective))
  return alerts.filter(alert => isPage(alert) && alert.at >= fault.start && !before.has(alert.objective))
}

/** How long after the fault phase began its first page fired, in ms; null: none did. */
export function timeToDetect(seen: Observations): number | null {
  const { fault } = seen.phases
  const times = pagesSinceFault(seen).map(page => page.at)
  return !fault || times.length === 0 ? null : Math.min(...times) - fault.start
}

/**
 * `none`: no page fired; `fire`: these did, in time, and no others, and were over in time. Our own evaluation is of the services'
 * counters: silence of those that could not be read proves nothing.
 */
export function judgeAlerts(seen: Observations): ExpectationReport[] {
  const { experiment, counters, alertEngine } = seen
  const { none, fire, withinMs, resolvedWithinMs } = experiment.expect.alerts
  if (!none && fire.length === 0) return []
  const wanted = fire.map(objective => objective.name)
  const pages = pagesSinceFault(seen)
  const paged = [...new Set(pages.map(alert => alert.objective))]
  const isReadable = (name: string) => alertEngine !== undefined || counters[name] !== undefined
  const unreadable = experiment.objectives.map(objective => objective.name).filter(name => !isReadable(name))
  const unwanted = paged.filter(name => !wanted.includes(name))
  const silent = wanted.filter(name => !paged.includes(name) && isReadable(name))
  const late = withinMs === undefined ? [] : lateOf(wanted, pages, seen, withinMs)
  const lasting = resolvedWithinMs === undefined ? [] : lastingOf(paged, seen, resolvedWithinMs)
  const told = [
    paged.length === 0 ? 'no page fired' : `the page of ${paged.join(' and ')} fired`,
    ...(none || unwanted.length === 0 ? [] : [`nobody expected that of ${unwanted.join(' and ')}`]),
    ...late.map(({ name, afterMs }) => `that of ${name} after ${duration(Math.round(afterMs))}, which is too late`),
    ...lasting.map(name => `that of ${name} was not over ${duration(resolvedWithinMs!)} after the fault phase`),
    ...(unreadable.length > 0 ? [`the counters of ${unreadable.join(' and ')} could not be read`] : []),
  ]
  const limits = [
    ...(withinMs === undefined ? [] : [` within ${duration(withinMs)}`]),
    ...(resolvedWithinMs === undefined ? [] : [`, over within ${duration(resolvedWithinMs)}`]),
  ].join('')
  const failed = [unwanted, silent, late, lasting].some(each => each.length > 0)
  return [
    {
      name: none ? 'no page' : `pages: ${wanted.join(', ')}${limits}`,
      verdict: failed ? 'fail' : unreadable.length > 0 ? 'inconclusive' : 'pass',
      detail: `${told.join(', and ')}${alertEngine === undefined ? '' : `, says ${alertEngine}`}`,
      names: [],
    },
  ]
}

function lateOf(
  wanted: string[],
  pages: AlertTransition[],
  { phases }: Observations,
  withinMs: number,
): { name: string; afterMs: number }[] {
  return wanted.flatMap(name => {
    const first = pages.find(page => page.objective === name)
    const afterMs = first && phases.fault ? first.at - phases.fault.start : 0
    return afterMs > withinMs ? [{ name, afterMs }] : []
  })
}

/** Of whom some page still fired so long after the fault phase. */
function lastingOf(paged: string[], { phases, alerts }: Observations, withinMs: number): string[] {
  const until = (phases.fault?.end ?? 0) + withinMs
  return paged.filter(name => {
    const firing = new Set<string>()
    for (const { objective, severity, window, state, at } of alerts) {
      if (objective !== name || severity !== 'page' || at > until) continue
      if (state === 'firing') firing.add(window)
      else firing.delete(window)
    }
    return firing.size > 0
  })
}
