import type { Experiment, FaultSpec } from '../experiment/model.ts'
import { describeFault } from '../faults/index.ts'
import { duration } from '../faults/words.ts'
import { choose, deriveSeed } from '../random.ts'
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
    ...experiment.expect.hold.map(
      objective => `  hold      ${objective.name} at ${percent(experiment.expect.atLeast ?? objective.target)}`,
    ),
  ]
  return `${lines.join('\n')}\n`
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
