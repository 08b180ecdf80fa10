import type { Clock } from '../../world.ts'
import { type Cluster, Refused } from './cluster.ts'

const injectedWithinMs = 30_000
const pollMs = 200
/** On every resource that we make for another engine: the run, the fault, and when its lease ends at the latest. */
export const mark = { run: 'shaketable.dev/run', fault: 'shaketable.dev/fault', leaseEnds: 'shaketable.dev/lease-ends' }

/** The engines that do what needs the kernel or the mesh, each with where its resources live. */
export const engines = {
  chaosMesh: { name: 'Chaos Mesh', group: 'chaos-mesh.org', version: 'v1alpha1' },
  istio: { name: 'Istio', group: 'networking.istio.io', version: 'v1' },
} as const
export type Engine = keyof typeof engines

/** A resource of another engine that is to be made: the engine injects by it, and undoes when it is deleted. */
export interface HandedOver {
  engine: Engine
  kind: string
  plural: string
  spec: Record<string, unknown>
}

/** What is served under an engine's group: names of resources; empty where it is not installed. */
export async function resourcesOf(engine: Engine, cluster: Cluster): Promise<string[]> {
  const { group, version } = engines[engine]
  try {
    const { resources } = await cluster.call<{ resources: { name: string }[] }>('GET', `/apis/${group}/${version}`)
    return resources.map(({ name }) => name)
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return []
    throw error
  }
}

interface ChaosStatus {
  status?: {
    conditions?: { type: string; status: string }[]
    experiment?: { containerRecords?: { id: string; phase: string; events?: { message?: string; type?: string }[] }[] }
  }
}

/** Resolves when Chaos Mesh says that it has injected; rejects with what it says instead. */
export async function chaosInjected(path: string, clock: Clock, cluster: Cluster): Promise<void> {
  for (const until = clock.now() + injectedWithinMs; ; await clock.sleep(pollMs)) {
    const { status } = await cluster.call<ChaosStatus>('GET', path)
    const is = (type: string) => status?.conditions?.some(each => each.type === type && each.status === 'True')
    if (is('AllInjected')) return
    if (clock.now() < until) continue
    const events = (status?.experiment?.containerRecords ?? []).flatMap(({ id, phase, events }) => {
      const last = events?.findLast(event => event.type === 'Failed')?.message
      return [`${id} is ${phase || 'of no phase'}${last ? `: ${last}` : ''}`]
    })
    const said =
      events.join('; ') || (status?.conditions ? 'it has selected no container' : 'its controller says nothing at all')
    throw new Error(`Chaos Mesh has not injected it after ${injectedWithinMs / 1000} s: ${said}`)
  }
}

/** How many containers it acts on, by its own records. */
export async function chaosCounts(path: string, cluster: Cluster): Promise<{ seen: number; hit: number }> {
  const { status } = await cluster.call<ChaosStatus>('GET', path)
  const records = status?.experiment?.containerRecords ?? []
  return { seen: records.length, hit: records.filter(({ phase }) => phase === 'Injected').length }
}
