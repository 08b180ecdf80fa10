import type { ContainerInspectInfo } from 'dockerode'

/** What the engine is to change, in the words of its API. */
export type Limits = Partial<Record<'NanoCpus' | 'CpuPeriod' | 'CpuQuota' | 'Memory' | 'MemorySwap', number>>

export interface Wanted {
  cpus: number | undefined
  memoryBytes: number | undefined
}

/**
 * The change that limits a container, and the one that takes it back. CPU stands in the unit in which it is limited already: the
 * engine takes no other. It lifts a limit of CPU by -1, and none of memory: a container that has none is not given one.
 *
 * @throws where memory is to be limited that has no limit.
 */
export function limitsFor(
  { HostConfig: config }: ContainerInspectInfo,
  { cpus, memoryBytes }: Wanted,
): { limits: Limits; undo: Limits } {
  const { NanoCpus = 0, CpuPeriod = 0, CpuQuota = 0, Memory = 0, MemorySwap = 0 } = config
  const [limits, undo]: [Limits, Limits] = [{}, {}]
  if (cpus !== undefined && NanoCpus > 0) {
    limits.NanoCpus = Math.round(cpus * 1e9)
    undo.NanoCpus = NanoCpus
  } else if (cpus !== undefined) {
    Object.assign(limits, { CpuPeriod: 100_000, CpuQuota: Math.round(cpus * 100_000) })
    Object.assign(undo, { CpuPeriod: CpuPeriod || 100_000, CpuQuota: CpuQuota || -1 })
  }
  if (memoryBytes !== undefined) {
    if (Memory === 0) throw new Error('has no limit of memory, and an engine cannot take back one that it gets')
    Object.assign(limits, { Memory: memoryBytes, MemorySwap: memoryBytes })
    Object.assign(undo, { Memory, MemorySwap: MemorySwap || -1 })
  }
  return { limits, undo }
}
