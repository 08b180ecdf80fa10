import type { Objective } from '@shaketable/slo'
import type { Observations, ObservedCounters, Span } from './observations.ts'
import { type Event, isSeenByClients, within } from './tally.ts'

/** Client and counters may differ by this share, or this many, beyond what can be explained. */
const unexplainedShare = 0.01
const unexplainedCount = 3
/** The counters are read this long before the fault phase at the earliest, in ms. */
const readingMs = 250
/** An instance that dies takes with it what it counted since it was last read: twice a second, or late by one reading. */
const unreadMs = 1000
/** How much more than its share of the requests one instance may get. */
const unevenness = 2

/** Fault and recovery, over which `hold` is judged. */
export function judgedSpan(phases: Observations['phases']): Span | undefined {
  if (!phases.fault) return undefined
  return { start: phases.fault.start, end: (phases.recovery ?? phases.fault).end }
}

/**
 * Where the services' own counters do not corroborate the client, a sentence each. They are read just before the fault phase
 * and after the last answer, so these may differ: requests under way at the first reading and arrivals after the last phase;
 * requests without an answer, which may or may not have been counted; what an instance that died had counted since it was
 * last read.
 */
export function counterTrouble(seen: Observations, events: ReadonlyMap<string, Event[]>): string[] {
  const span = judgedSpan(seen.phases)
  if (!span) return []
  return seen.experiment.expect.hold.filter(isSeenByClients).flatMap(objective => {
    const counted = seen.counters[objective.name]
    if (!counted) return [`the counters behind ${objective.name} could not be read`]
    return disagreement(objective, counted, seen, events.get(objective.name) ?? [], span)
  })
}

function disagreement(
  { name, indicator }: Objective,
  counted: ObservedCounters,
  seen: Observations,
  events: Event[],
  span: Span,
): string[] {
  const judged = events.filter(within(span))
  const good = judged.filter(event => event.good).length
  const unanswered = judged.filter(event => !event.answered).length
  const atEdges = events.filter(
    event => (event.at < span.start && event.end > span.start - readingMs) || event.at >= span.end,
  ).length
  const slack = Math.max(unexplainedShare * judged.length, unexplainedCount)
  const lost = counted.instanceLost ? lostWithInstances(indicator, seen, events, span) : 0
  // What both count of an answer is its status; latency they measure at different ends.
  const comparable = indicator.type === 'shaketable' && indicator.good.underSeconds === undefined

  const agree = (theirs: number, ours: number, unsure: { onlyTheirs: number; onlyOurs: number }) =>
    theirs - ours <= slack + atEdges + unsure.onlyTheirs && ours - theirs <= slack + lost + unsure.onlyOurs
  if (!agree(counted.total, judged.length, { onlyTheirs: 0, onlyOurs: unanswered })) {
    return [`the service counted ${counted.total} requests for ${name}, and the client made ${judged.length}`]
  }
  // The client calls bad what it got no answer to; the service may have answered it well, too late.
  if (comparable && !agree(counted.good, good, { onlyTheirs: unanswered, onlyOurs: 0 })) {
    return [`the service counted ${counted.good} good requests for ${name}, and the client saw ${good}`]
  }
  return []
}

/** The most that the deaths of single instances explain: for each, its share of the requests since it was last read. */
function lostWithInstances(
  indicator: Objective['indicator'],
  { experiment, instanceEvents }: Observations,
  events: Event[],
  span: Span,
): number {
  if (indicator.type !== 'shaketable') return 0
  const { service } = indicator.selector
  const replicas = experiment.system.services.find(each => each.name === service)?.local?.replicas ?? 1
  const deaths = instanceEvents.filter(
    event => event.kind === 'exited' && event.at >= span.start && isInstanceOf(service, event.instance),
  )
  return deaths.reduce((lost, { at }) => {
    const unread = events.filter(event => event.at < at && event.end > at - unreadMs).length
    return lost + Math.min(unread, Math.ceil((unread / replicas) * unevenness))
  }, 0)
}

/** Instances are named for their service: `orders-1`. */
export function isInstanceOf(service: string, instance: string): boolean {
  return instance.startsWith(`${service}-`) && /^\d+$/.test(instance.slice(service.length + 1))
}
