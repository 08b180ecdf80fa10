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
 * `none`: no page fired; `fire`: these did, and no others. Alerts are evaluated on the services' own counters: silence of those
 * that could not be read proves nothing.
 */
export function judgeAlerts(seen: Observations): ExpectationReport[] {
  const { experiment, counters } = seen
  const { none, fire } = experiment.expect.alerts
  if (!none && fire.length === 0) return []
  const wanted = fire.map(objective => objective.name)
  const paged = [...new Set(pagesSinceFault(seen).map(alert => alert.objective))]
  const unreadable = experiment.objectives.map(objective => objective.name).filter(name => !counters[name])
  const unwanted = paged.some(name => !wanted.includes(name))
  const silent = wanted.some(name => !paged.includes(name) && counters[name])
  const pages = paged.length === 0 ? 'no page fired' : `the page of ${paged.join(' and ')} fired`
  return [
    {
      name: none ? 'no page' : `pages: ${wanted.join(', ')}`,
      verdict: unwanted || silent ? 'fail' : unreadable.length > 0 ? 'inconclusive' : 'pass',
      detail:
        unreadable.length > 0 ? `${pages}, and the counters of ${unreadable.join(' and ')} could not be read` : pages,
      names: [],
    },
  ]
}
