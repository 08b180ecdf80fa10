import type { Experiment, FaultSpec, System } from '../experiment/model.ts'
import { describeFault } from '../faults/index.ts'
import { duration } from '../faults/words.ts'
import { choose, deriveSeed } from '../random.ts'
import { percent } from '../verdict/soundness.ts'

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
  const { baselineMs, faultMs, recoveryMs } = experiment.phases
  const lines = [
    `${experiment.name}: ${experiment.title}`,
    `  system    ${system.name} (${system.services.map(({ name }) => counted(name, instancesOf(system, name))).join(', ')})`,
    ...experiment.load.map(load => `  load      ${load.journey.name}, ${load.ratePerSecond}/s, open loop`),
    `  phases    baseline ${duration(baselineMs)}, fault ${duration(faultMs)}, recovery ${duration(recoveryMs)}`,
    ...experiment.faults.map(
      fault =>
        `  fault     ${describeFault(fault)}, from ${duration(fault.startMs)} for ${duration(fault.durationMs)}, hits ${targetsOf(fault, system, seed, instancesOf).join(', ')}`,
    ),
    ...experiment.expect.hold.map(
      objective => `  hold      ${objective.name} at ${percent(experiment.expect.atLeast ?? objective.target)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
}

function counted(service: string, instances: string[]): string {
  return instances.length > 1 ? `${service} x${instances.length}` : service
}

/** The same choice as the run makes, given that every instance is up. */
function targetsOf(fault: FaultSpec, system: System, seed: number, instancesOf: InstancesOf): string[] {
  const all = instancesOf(system, ('from' in fault && fault.from) || fault.service)
  return 'instances' in fault ? choose(all, fault.instances, deriveSeed(seed, fault.id)) : all
}
