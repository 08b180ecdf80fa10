import { kubernetesFunctions } from './kubernetes.ts'
import type { MappedFunction } from './mapped.ts'
import { prometheusFunctions } from './prometheus.ts'
import { toxiproxyFunctions } from './toxiproxy.ts'

/** By `module.func`. */
export const mappedFunctions: ReadonlyMap<string, MappedFunction> = new Map(
  Object.entries({ ...kubernetesFunctions, ...prometheusFunctions, ...toxiproxyFunctions }),
)

/** Those whose faults hit a cluster that others live on. */
export const hitsCluster = (name: string): boolean =>
  name.startsWith('chaosk8s.') && mappedFunctions.get(name)?.type === 'action'
