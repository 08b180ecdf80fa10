import type { Objective } from '@shaketable/slo'
import { plannedRequests, requestsToProve } from '../experiment/feeding.ts'
import type { Experiment, FaultSpec, Guard, System } from '../experiment/model.ts'
import { describeFault } from '../faults/index.ts'
import { duration } from '../faults/words.ts'
import { choose, deriveSeed } from '../random.ts'
import { percent } from '../verdict/percent.ts'
import { powerOf } from '../verdict/power.ts'
import { deviationsAtTheEnd } from '../verdict/spending.ts'

/** The instances of a service, by name. */
export type InstancesOf = (system: System, service: string) => string[]

/** Those that the local target would start. */
export const localInstances: InstancesOf = (system, service) => {
  const replicas = system.services.find(({ name }) => name === service)?.local?.replicas ?? 0
  return Array.from({ length: replicas }, (_, index) => `${service}-${index + 1}`)
}

/** What `--dry-run` prints: every experiment with its phases, its load, its faults and what they would hit. */
export function describePlan(experiments: Experiment[], seed: number, instancesOf: InstancesOf): string {
  const described = experiments.map(experiment =>
    describeExperiment(experiment, deriveSeed(seed, experiment.name), instancesOf),
  )
  return `seed ${seed}\n${described.join('')}`
}

function describeExperiment(experiment: Experiment, seed: number, instancesOf: InstancesOf): string {
  const { system } = experiment
  const { baselineMs, faultMs, recoveryMs, endFaultWhenSure } = experiment.phases
  const lines = [
    `${experiment.name}: ${experiment.title}`,
    `  system    ${system.name} (${system.services.map(({ name }) => counted(name, instancesOf(system, name))).join(', ')})`,
    ...experiment.load.map(load => `  load      ${load.journey.name}, ${load.ratePerSecond}/s, open loop`),
    `  phases    baseline ${duration(baselineMs)}, fault ${duration(faultMs)}${endFaultWhenSure ? ' or until the verdict is sure' : ''}, recovery ${duration(recoveryMs)}`,
    ...experiment.faults.map(
      fault =>
        `  fault     ${describeFault(fault)}, from ${duration(fault.startMs)} for ${duration(fault.durationMs)}, hits ${targetsOf(fault, system, seed, instancesOf).join(', ')}`,
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
  const { mostBad, foundRatio } = powerOf(count, target, expect.hold.length, phases)
  const told = [
    mostBad === undefined ? [] : [`passes with at most ${mostBad} bad`],
    foundRatio === undefined ? [] : [`fails in 99 of 100 runs where ${percent(foundRatio)} are bad`],
  ].flat()
  return [
    `  hold      ${objective.name} at ${percent(target)}`,
    `            needs at least ${requestsToProve(target, deviationsAtTheEnd(phases))} requests at ${Number(perSecond.toFixed(2))}/s: this run plans ${count}`,
    ...(told.length > 0 ? [`            where errors are independent it ${told.join(', and ')}`] : []),
  ]
}

function describeGuard(guard: Guard | undefined): string[] {
  if (!guard) return []
  const { objectives, budget, errorRatio, health, prometheus } = guard
  const names = objectives.map(({ name }) => name).join(' or ')
  return [
    ...(budget === undefined ? [] : [`  guard     ends it when ${names} has spent ${percent(budget)} of the budget`]),
    ...(errorRatio
      ? [
          `  guard     ends it when over ${percent(errorRatio.above)} are bad for ${names} within ${duration(errorRatio.overMs)}`,
        ]
      : []),
    ...(health ? [`  guard     ends it when no instance of ${health.service} answers GET ${health.path} well`] : []),
    ...prometheus.map(
      ({ query, above, below }) =>
        `  guard     ends it when ${query} ${above === undefined ? '' : `is over ${above} or `}${below === undefined ? '' : `is under ${below} or `}has no data`,
    ),
  ]
}

function counted(service: string, instances: string[]): string {
  return instances.length > 1 ? `${service} x${instances.length}` : service
}

/** The same choice as the run makes, given that every instance is up. */
function targetsOf(fault: FaultSpec, system: System, seed: number, instancesOf: InstancesOf): string[] {
  if (fault.kind === 'network') return [`toxiproxy ${fault.at.proxy}`]
  const all = instancesOf(system, ('from' in fault && fault.from) || fault.service)
  const count = hitCount(fault)
  return count === undefined ? all : choose(all, count, deriveSeed(seed, fault.id))
}

/** How many the seed chooses; undefined: all, without a choice. */
function hitCount(fault: FaultSpec): number | undefined {
  if ('instances' in fault) return fault.instances
  return 'among' in fault ? fault.among : undefined
}
