import type { Objective } from '@shaketable/slo'
import type { FaultSpec } from '../experiment/model.ts'
import { duration } from '../faults/words.ts'
import { isPage } from './alerts.ts'
import { counterTrouble } from './corroboration.ts'
import type { Observations, ObservedFault } from './observations.ts'
import { percent } from './percent.ts'
import { clusteredInterval, fitsPercent, fitsPercentOfRequests, sum } from './statistics.ts'
import { blockLengthOf, blocksOf, type Event, isSeenByClients } from './tally.ts'
import { startsIn } from './traces/calls.ts'
import { needsTraces, type TraceEvidence } from './traces/judge-traces.ts'

/** An arrival may be late by this at the 99th percentile, in ms, or by two intervals of its own load. */
const latenessMs = 50
/** A clock is corrected by less than this in a run, in ms. */
const longestJumpMs = 1000
/** One choice decides at most this many attempts: a call and the retries that share its trace. */
const attemptsPerRequest = 3

/**
 * Why the measurement cannot be trusted, a sentence each: such a run is void, whatever it seems to show. Nothing was hit, the
 * load was late, telemetry is missing or tells another story than the client, or the steady state never held.
 */
export function unsound(
  seen: Observations,
  events: ReadonlyMap<string, Event[]>,
  evidence: TraceEvidence | undefined,
): string[] {
  if (seen.aborted !== undefined) return [`the run was ended early: ${seen.aborted}`]
  // The rest of the plan was not carried out.
  if (seen.breach) return [...loadTrouble(seen), ...baselineTrouble(seen, events)]
  return [
    ...loadTrouble(seen),
    ...baselineTrouble(seen, events),
    ...pagesBeforeFault(seen),
    ...faultTrouble(seen),
    ...counterTrouble(seen, events),
    ...traceTrouble(seen, evidence),
    ...clockTrouble(seen),
    ...(seen.alertTrouble !== undefined && judgesAlerts(seen) ? [seen.alertTrouble] : []),
  ]
}

/** What is worth a note, and no more: an objective that is only observed and was not met even without a fault. */
export function baselineNotes(seen: Observations, events: ReadonlyMap<string, Event[]>): string[] {
  const held = new Set(seen.experiment.expect.hold.map(objective => objective.name))
  return seen.experiment.objectives
    .filter(objective => !held.has(objective.name))
    .flatMap(objective => notSteady(objective, seen, events))
}

function loadTrouble({ load }: Observations): string[] {
  return load.flatMap(({ journey, ratePerSecond, health }) => {
    const bound = Math.max(latenessMs, 2000 / ratePerSecond)
    const troubles: string[] = []
    if (health.latenessP99Ms > bound) {
      troubles.push(
        `the load of ${journey} was late: ${health.latenessP99Ms.toFixed(0)} ms at the 99th percentile, over its ${bound.toFixed(0)} ms`,
      )
    }
    if (health.dropped > 0)
      troubles.push(`the load of ${journey} dropped ${health.dropped} of ${health.planned} arrivals`)
    return troubles
  })
}

function baselineTrouble(seen: Observations, events: ReadonlyMap<string, Event[]>): string[] {
  return seen.experiment.expect.hold.flatMap(objective => notSteady(objective, seen, events))
}

function notSteady(
  objective: Objective,
  { experiment, phases }: Observations,
  events: ReadonlyMap<string, Event[]>,
): string[] {
  if (!isSeenByClients(objective)) return []
  const blocks = blocksOf(events.get(objective.name) ?? [], phases.baseline, blockLengthOf([phases.baseline]))
  const { good, total } = sum(blocks)
  if (total === 0) return [`the baseline saw no request that ${objective.name} counts`]
  const target = targetOf(objective.name, objective.target, experiment.expect)
  const [, high] = clusteredInterval([blocks])
  return high < target
    ? [
        `the steady state did not hold before the fault: ${objective.name} at ${percent(good / total)}, target ${percent(target)}`,
      ]
    : []
}

/** Where pages are part of what is judged, one that fired before the fault was not the fault's doing. */
function pagesBeforeFault({ experiment, phases, alerts }: Observations): string[] {
  const { hold, alerts: expected } = experiment.expect
  const judged = expected.none || expected.fire.length > 0 ? experiment.objectives : hold
  const begin = phases.fault?.start ?? phases.baseline.end
  return judged
    .filter(({ name }) => alerts.some(alert => isPage(alert) && alert.objective === name && alert.at < begin))
    .map(({ name }) => `the page of ${name} fired before the fault`)
}

function faultTrouble({ experiment, faults }: Observations): string[] {
  return experiment.faults.flatMap(spec => {
    const fault = faults.find(each => each.id === spec.id)
    return fault ? strikeTrouble(spec, fault) : [`the fault ${spec.id} was never armed`]
  })
}

function strikeTrouble(spec: FaultSpec, { id, armedAt, seen, hit, expected }: ObservedFault): string[] {
  if (armedAt === undefined) return [`the fault ${id} was never armed`]
  if (hit === 0) {
    return ['percent' in spec ? `the fault ${id} hit nothing: ${seen} requests matched` : `the fault ${id} hit nothing`]
  }
  if (!('percent' in spec)) return []
  const asked = spec.ramp && expected !== undefined ? Number(((100 * expected) / seen).toFixed(2)) : spec.percent
  const fits =
    spec.scope === 'request'
      ? fitsPercentOfRequests(hit, seen, asked, attemptsPerRequest)
      : fitsPercent(hit, seen, asked)
  return fits ? [] : [`the fault ${id} hit ${hit} of ${seen} requests, which does not fit the ${asked} % asked for`]
}

/** A machine that slept, or whose clock was set: spans and samples are not of the same time any more. */
function clockTrouble({ clockJumpMs = 0 }: Observations): string[] {
  return clockJumpMs > longestJumpMs ? [`the machine's clock jumped by ${duration(Math.round(clockJumpMs))}`] : []
}

function judgesAlerts({ experiment }: Observations): boolean {
  const { none, fire } = experiment.expect.alerts
  return none || fire.length > 0
}

function traceTrouble({ experiment, traces, phases }: Observations, evidence: TraceEvidence | undefined): string[] {
  if (!needsTraces(experiment)) return []
  if (evidence) {
    const untold = (['baseline', 'fault'] as const).filter(name => {
      const phase = phases[name]
      return phase && !evidence.graph.entries.some(startsIn(phase))
    })
    return untold.map(name => `no request of the ${name} phase has a trace: their spans came too late, or never`)
  }
  if (!traces) return ['nobody listened for the traces by which it is judged']
  return [
    traces.spans.length === 0
      ? 'no span came from any service, and there is nothing to judge by'
      : `${traces.spans.length} spans came, and none of a request from outside`,
  ]
}

/** `atLeast` replaces the target of what must hold. */
export function targetOf(
  name: string,
  target: number,
  expect: { hold: { name: string }[]; atLeast: number | undefined },
): number {
  return expect.atLeast !== undefined && expect.hold.some(held => held.name === name) ? expect.atLeast : target
}
