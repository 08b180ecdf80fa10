import {
  formatDuration,
  formatPercentage,
  type Objective,
  type Problem,
  type SourceDocument,
  suggestion,
} from '@shaketable/slo'
import { deviationsAtTheEnd } from '../verdict/spending.ts'
import { looksAt } from '../verdict/sure.ts'
import type { ExperimentDocument } from './experiment-schema.ts'
import { faultSpecsOf } from './fault-specs.ts'
import { bestLowerBound, countedSteps, plannedRequests, requestsToProve } from './feeding.ts'
import type { Find, References, Report, Spec } from './given.ts'
import { checkGuard, guardOf } from './guard.ts'
import type { Expectations, Experiment, FaultSpec, System } from './model.ts'
import { invariantOf } from './system.ts'

/** The experiment as the model has it; or `undefined`, and what is wrong with it among `problems`. */
export function experimentOf(
  document: SourceDocument,
  content: ExperimentDocument,
  references: References,
  problems: Problem[],
): Experiment | undefined {
  const before = problems.length
  const { metadata, spec } = content
  const { system } = references
  const report = (path: PropertyKey[], message: string, hint?: string) => {
    problems.push(document.problem(['spec', ...path], message, hint))
  }
  const faults = faultSpecsOf(document, spec, system, problems)
  const load = loadOf(spec, system, report)
  checkNames(references, report)
  const find = finder(references, report)
  const expect = expectationsOf(spec, find, report)
  if (system) checkBlame(spec, system, report)
  if (spec.phases.endFaultWhenSure) checkEnding(spec, faults, load, expect, report)
  const guard = guardOf(spec, references, find, report)
  if (system && load.length > 0) {
    for (const { objective, index } of references.objectives) checkFed(objective, load, ['objectives', index], report)
    checkProvable(spec, expect, load, report)
    if (guard) checkGuard(spec, guard, expect, load, report)
  }
  if (problems.length > before || !system || !references.objectivesComplete) return undefined
  return {
    name: metadata.name,
    title: metadata.title ?? metadata.name,
    system,
    objectives: references.objectives.map(each => each.objective),
    load,
    phases: {
      baselineMs: spec.phases.baseline,
      faultMs: spec.phases.fault,
      recoveryMs: spec.phases.recovery,
      ...(spec.phases.endFaultWhenSure ? { endFaultWhenSure: true } : {}),
    },
    faults,
    expect,
    guard,
    alertWindowScale: spec.alerts.windowScale,
    place: document.place(),
  }
}

function loadOf(spec: Spec, system: System | undefined, report: Report): Experiment['load'] {
  const listed = Array.isArray(spec.load)
  const loads = Array.isArray(spec.load) ? spec.load : [spec.load]
  const found: Experiment['load'] = []
  const taken = new Set<string>()
  let sound = true
  for (const [index, { journey: name, rate, timeout }] of loads.entries()) {
    const at = listed ? ['load', index] : ['load']
    if (taken.has(name)) report([...at, 'journey'], `"${name}" is under load already`, 'add the rates up in one entry')
    taken.add(name)
    const longest = Math.max(spec.phases.baseline, spec.phases.fault, spec.phases.recovery)
    if (rate * longest < 1000) {
      const words = `no phase is long enough for one arrival: one comes every ${formatDuration(1000 / rate)}, and the longest phase lasts ${formatDuration(longest)}`
      report([...at, 'rate'], words)
      sound = false
    }
    if (!system) continue
    const journey = system.journeys.find(each => each.name === name)
    const names = system.journeys.map(each => each.name)
    if (journey) found.push({ journey, ratePerSecond: rate, timeoutMs: timeout })
    else report([...at, 'journey'], `no journey of "${system.name}" is named "${name}"; ${suggestion(name, names)}`)
  }
  return sound && found.length === loads.length ? found : []
}

function checkNames({ objectives }: References, report: Report): void {
  const taken = new Set<string>()
  for (const { objective, index } of objectives) {
    if (taken.has(objective.name)) report(['objectives', index], `"${objective.name}" is defined twice`)
    taken.add(objective.name)
  }
}

/** Objectives by their names; what is wrong with a name is reported. */
function finder({ objectives, objectivesComplete }: References, report: Report): Find {
  const known = objectives.map(each => each.objective)
  return (names, path) =>
    names.flatMap((name, index) => {
      const objective = known.find(each => each.name === name)
      if (names.indexOf(name) < index) report([...path, index], `"${name}" stands twice`)
      // The one that is missing may stand in the file that could not be read.
      if (!objective && objectivesComplete) {
        const names = known.map(each => each.name)
        report([...path, index], `no objective of this experiment is named "${name}"; ${suggestion(name, names)}`)
      }
      return objective ? [objective] : []
    })
}

function expectationsOf(spec: Spec, find: Find, report: Report): Expectations {
  const { objectives, recovery, alerts, blame, amplification, abandonedWork, telemetry } = spec.expect
  const { invariants } = spec.expect
  const observed = [blame, amplification, abandonedWork, telemetry].some(each => each !== undefined)
  if (!objectives && !recovery && !alerts && !invariants && !observed) {
    report(
      ['expect'],
      'nothing is expected, so that the experiment could never fail',
      'add "objectives: { hold: [...] }"',
    )
  }
  const hold = find(objectives?.hold ?? [], ['expect', 'objectives', 'hold'])
  const fire = find(alerts?.fire ?? [], ['expect', 'alerts', 'fire'])
  if (alerts?.none && alerts.fire) report(['expect', 'alerts', 'none'], '"none" and "fire" exclude one another')
  if (alerts && !alerts.none && !alerts.fire) report(['expect', 'alerts'], 'expected "none: true" or "fire: [...]"')
  const limits = [
    ['within', alerts?.within, spec.phases.fault, 'fault'],
    ['resolvedWithin', alerts?.resolvedWithin, spec.phases.recovery, 'recovery'],
  ] as const
  for (const [field, limit, phase, phaseName] of limits) {
    if (limit === undefined) continue
    const saw = formatDuration(limit)
    if (!alerts?.fire) report(['expect', 'alerts', field], `"${field}" is about the pages of "fire", and there is none`)
    else if (limit > phase) {
      const words = `cannot be seen: the ${phaseName} phase lasts ${formatDuration(phase)}, saw ${saw}`
      report(['expect', 'alerts', field], words)
    }
  }
  for (const [index, name] of (alerts?.fire ?? []).entries()) {
    if (!objectives?.hold.includes(name)) continue
    const words = `"${name}" is expected to hold as well: a page means that it does not`
    report(['expect', 'alerts', 'fire', index], words)
  }
  if (recovery && recovery.within > spec.phases.recovery) {
    const [within, phase] = [formatDuration(recovery.within), formatDuration(spec.phases.recovery)]
    report(['expect', 'recovery', 'within'], `cannot be seen: the recovery phase lasts ${phase}, saw ${within}`)
  }
  return {
    hold,
    atLeast: objectives?.atLeast,
    recoveryWithinMs: recovery?.within,
    alerts: {
      none: alerts?.none ?? false,
      fire,
      withinMs: alerts?.within,
      resolvedWithinMs: alerts?.resolvedWithin,
    },
    invariants: (invariants ?? []).map(invariantOf),
    observability: observed
      ? {
          blame,
          amplificationAtMost: amplification?.atMost,
          abandonedAtMostMs: abandonedWork?.atMost,
          telemetry: telemetry ?? [],
        }
      : undefined,
  }
}

/** A look at the beginning must tell of the rest. */
function checkEnding(
  spec: Spec,
  faults: FaultSpec[],
  load: Experiment['load'],
  expect: Expectations,
  report: Report,
): void {
  const refuse = (words: string) => report(['phases', 'endFaultWhenSure'], words, 'leave it out')
  if (expect.hold.length === 0) refuse('nothing is held, and it is about the verdict on "hold"')
  if (spec.expect.alerts) refuse('alerts are expected, and whether one fires depends on how long the fault lasts')
  const { baseline: baselineMs, fault: faultMs, recovery: recoveryMs } = spec.phases
  if (load.length > 0 && looksAt({ load, phases: { baselineMs, faultMs, recoveryMs } }, { start: 0 }).length === 0) {
    const words = `the fault phase is over before a look could be made: its quarters are looked at from 12 s on, once every answer has come; it lasts ${formatDuration(faultMs)}`
    refuse(words)
  }
  for (const fault of faults) {
    if (fault.startMs > 0) refuse(`"${fault.id}" begins later, and a look before that would not see it`)
    else if (('ramp' in fault && fault.ramp) || ('pulse' in fault && fault.pulse) || changes(fault)) {
      refuse(`"${fault.id}" changes while it lasts, and a look at its beginning would not tell of its end`)
    }
  }
}

function changes(fault: FaultSpec): boolean {
  return fault.kind === 'rollingRestart' || (fault.kind === 'crash' && fault.everyMs !== undefined)
}

function checkBlame(spec: Spec, system: System, report: Report): void {
  const { blame } = spec.expect
  if (blame === undefined) return
  const names = system.services.map(({ name }) => name)
  if (!names.includes(blame)) {
    report(['expect', 'blame'], `no service of "${system.name}" is named "${blame}"; ${suggestion(blame, names)}`)
  } else if (spec.faults.length === 0) report(['expect', 'blame'], 'without a fault there is nobody to blame')
}

function checkFed(objective: Objective, loads: Experiment['load'], path: PropertyKey[], report: Report): void {
  const { indicator, name } = objective
  if (indicator.type !== 'shaketable') {
    const why = `"${name}" is measured by Prometheus queries, and a run cannot attach a Prometheus yet`
    report(path, why, 'write it with "type: shaketable"')
    return
  }
  const { signal, service, method, route } = indicator.selector
  if (signal !== 'http-server') {
    report(path, `"${name}" counts what ${service} calls itself, which the load cannot see yet`, 'use "http-server"')
    return
  }
  if (objective.slices) {
    report(path, `"${name}" counts slices of time, and a run counts requests`, 'use "budgetingMethod: Occurrences"')
    return
  }
  if (loads.some(load => countedSteps(objective, load) > 0)) return
  const sent = loads.flatMap(load =>
    load.journey.steps.map(({ request }) => `${request.method} ${request.path} to ${request.to}`),
  )
  const wanted = `${method ?? 'any method'} ${route ?? 'on any route'} at ${service}`
  report(
    path,
    `the load never feeds "${name}": it counts ${wanted}, and the load sends ${[...new Set(sent)].join(', ')}`,
  )
}

/** Refuses what could only end inconclusive: too few requests for a pass even if none of them fails. */
function checkProvable(spec: Spec, expect: Expectations, loads: Experiment['load'], report: Report): void {
  const ms = spec.phases.fault + spec.phases.recovery
  const deviations = deviationsAtTheEnd(spec.phases)
  for (const objective of expect.hold) {
    const target = expect.atLeast ?? objective.target
    const { count, perSecond } = plannedRequests(objective, loads, ms)
    if (perSecond === 0 || bestLowerBound(count, deviations) >= target) continue
    const index = spec.expect.objectives!.hold.indexOf(objective.name)
    const needed = requestsToProve(target, deviations)
    const length = formatDuration(Math.ceil(needed / perSecond) * 1000)
    report(
      ['expect', 'objectives', 'hold', index],
      `cannot reach a pass: ${count} planned requests without one error prove only ${formatPercentage(Math.floor(bestLowerBound(count, deviations) * 10_000) / 10_000)}, and the target is ${formatPercentage(target)}, which takes ${needed}: fault and recovery of ${length} in all, saw ${formatDuration(ms)}`,
      'make the phases longer, raise the rate, or set "atLeast" to what this experiment is to prove',
    )
  }
}
