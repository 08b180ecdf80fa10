import type { Objective } from '@shaketable/slo'
import { plannedRequests, requestsToProve } from '../experiment/feeding.ts'
import type { Experiment, FaultSpec, Guard } from '../experiment/model.ts'
import { describeFault } from '../faults/index.ts'
import { duration } from '../faults/words.ts'
import { choose, deriveSeed } from '../random.ts'
import { powerOf } from '../verdict/power.ts'
import { percent } from '../verdict/soundness.ts'

/** What `--dry-run` prints: every experiment with its phases, its load, its faults and what they would hit. */
export function describePlan(experiments: Experiment[], seed: number): string {
  return `seed ${seed}\n${experiments.map(experiment => describeExperiment(experiment, deriveSeed(seed, experiment.name))).join('')}`
}

function describeExperiment(experiment: Experiment, seed: number): string {
  const { baselineMs, faultMs, recoveryMs } = experiment.phases
  const lines = [
    `${experiment.name}: ${experiment.title}`,
    `  system    ${experiment.system.name} (${experiment.system.services.map(nameAndReplicas).join(', ')})`,
    ...experiment.load.map(load => `  load      ${load.journey.name}, ${load.ratePerSecond}/s, open loop`),
    `  phases    baseline ${duration(baselineMs)}, fault ${duration(faultMs)}, recovery ${duration(recoveryMs)}`,
    ...experiment.faults.map(
      fault =>
        `  fault     ${describeFault(fault)}, from ${duration(fault.startMs)} for ${duration(fault.durationMs)}, hits ${targetsOf(fault, experiment, seed).join(', ')}`,
    ),
    ...experiment.expect.hold.flatMap(objective => describeHold(objective, experiment)),
    ...describeGuard(experiment.guard),
  ]
  return `${lines.join('\n')}\n`
}

/** What the objective must reach, and what so many requests can tell of it. */
function describeHold(objective: Objective, { expect, load, phases }: Experiment): string[] {
  const target = expect.atLeast ?? objective.target
  const { count, perSecond } = plannedRequests(objective, load, phases.faultMs + phases.recoveryMs)
  const { mostBad, foundRatio } = powerOf(count, target, expect.hold.length)
  const told = [
    mostBad === undefined ? [] : [`passes with at most ${mostBad} bad`],
    foundRatio === undefined ? [] : [`fails in 99 of 100 runs where ${percent(foundRatio)} are bad`],
  ].flat()
  return [
    `  hold      ${objective.name} at ${percent(target)}`,
    `            needs at least ${requestsToProve(target)} requests at ${Number(perSecond.toFixed(2))}/s: this run plans ${count}`,
    ...(told.length > 0 ? [`            where errors are independent it ${told.join(', and ')}`] : []),
  ]
}

function describeGuard(guard: Guard | undefined): string[] {
  if (!guard) return []
  const { objectives, budget, errorRatio, health } = guard
  const names = objectives.map(({ name }) => name).join(' or ')
  return [
    ...(budget === undefined ? [] : [`  guard     ends it when ${names} has spent ${percent(budget)} of the budget`]),
    ...(errorRatio
      ? [
          `  guard     ends it when over ${percent(errorRatio.above)} are bad for ${names} within ${duration(errorRatio.overMs)}`,
        ]
      : []),
    ...(health ? [`  guard     ends it when no instance of ${health.service} answers GET ${health.path} well`] : []),
  ]
}

function nameAndReplicas(service: Experiment['system']['services'][number]): string {
  const replicas = service.local?.replicas ?? 0
  return replicas > 1 ? `${service.name} x${replicas}` : service.name
}

/** The same choice as the run makes, given that every instance is up. */
function targetsOf(fault: FaultSpec, experiment: Experiment, seed: number): string[] {
  const host = ('from' in fault && fault.from) || fault.service
  const replicas = experiment.system.services.find(service => service.name === host)?.local?.replicas ?? 0
  const all = Array.from({ length: replicas }, (_, index) => `${host}-${index + 1}`)
  return 'instances' in fault ? choose(all, fault.instances, deriveSeed(seed, fault.id)) : all
}
