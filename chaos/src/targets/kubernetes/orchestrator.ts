import { ShaketableError } from '@shaketable/slo'
import type { Clock } from '../../world.ts'
import type { Change, HandOver, Orchestrator } from '../target.ts'
import type { Cluster } from './cluster.ts'
import { explain, type PodsOf } from './find-pods.ts'
import { chaosCounts, chaosInjected, engines, mark } from './handed-over.ts'
import { KubernetesInstance } from './kubernetes-instance.ts'
import { workloadsOf } from './owners.ts'
import { nameOf } from './pods.ts'
import { restore, restoreScale, type Scaled, type ShakenResource } from './restore.ts'
import { readScale, restartRolling, rolledOut, type Workload, writeScale } from './workloads.ts'

const pollMs = 100
const emptyWithinMs = 45_000

export interface OrchestratorOptions {
  cluster: Cluster
  clock: Clock
  runId: string
  placeOf(service: string): PodsOf
  instancesOf(service: string): KubernetesInstance[]
  /** On disk before it is done. */
  shaking(resource: ShakenResource): Promise<void>
  /** Proven undone. */
  restored(path: string): Promise<void>
}

/** The faults of whole services, each by the API that people use for it. */
export function orchestrator(options: OrchestratorOptions): Orchestrator {
  const { cluster, clock } = options

  const podsOf = (service: string) => options.instancesOf(service).flatMap(({ pod }) => pod ?? [])
  const shakes = (service: string, { path, name }: Workload, undo: ShakenResource['undo']): ShakenResource => ({
    cluster: cluster.ref,
    path,
    name: `${service} (${name} in ${options.placeOf(service).namespace})`,
    undo,
  })

  async function scaleToZero(service: string): Promise<Change> {
    const { namespace } = options.placeOf(service)
    const scaled: (ShakenResource & { undo: Scaled })[] = []
    const before = podsOf(service).length
    const undo = async () => {
      for (const resource of scaled) await restoreScale(cluster, resource)
    }
    try {
      for (const workload of await workloadsOf(podsOf(service), namespace, cluster)) {
        scaled.push(await scaleOne(service, workload))
      }
      await empty(service)
    } catch (error) {
      await undo().catch(() => {})
      explain(error)
    }
    const left = () => options.instancesOf(service).filter(({ pid }) => pid !== undefined).length
    return { hits: async () => ({ seen: before, hit: Math.max(0, before - left()) }), undo: once(undo) }
  }

  /** What is recorded is what we replace: a write in between makes us read again. */
  async function scaleOne(service: string, workload: Workload): Promise<ShakenResource & { undo: Scaled }> {
    for (;;) {
      const scale = await readScale(workload, cluster)
      const from = scale.spec?.replicas ?? 0
      if (from === 0)
        throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', `${workload.name} is scaled to zero already`)
      const undo: Scaled = { kind: 'scaled', uid: scale.metadata?.uid ?? '', from, to: 0 }
      const resource = { ...shakes(service, workload, undo), undo }
      await options.shaking(resource)
      if (await writeScale(workload, scale, 0, cluster)) return resource
    }
  }

  async function empty(service: string): Promise<void> {
    for (const until = clock.now() + emptyWithinMs; ; await clock.sleep(pollMs)) {
      const left = options.instancesOf(service).filter(({ pid }) => pid !== undefined)
      if (left.length === 0) return
      if (clock.now() > until)
        throw new Error(
          `${left.map(({ name }) => name).join(', ')} still there ${emptyWithinMs / 1000} s after the scale to zero`,
        )
    }
  }

  async function rollingRestart(service: string): Promise<Change> {
    const { namespace } = options.placeOf(service)
    const old = new Set(podsOf(service).map(nameOf))
    const workloads: Workload[] = []
    try {
      workloads.push(...(await workloadsOf(podsOf(service), namespace, cluster)))
      for (const workload of workloads) {
        await options.shaking(shakes(service, workload, { kind: 'rolling' }))
        await restartRolling(workload, new Date(clock.wall()), cluster)
      }
    } catch (error) {
      explain(error)
    }
    return {
      hits: async () => {
        const still = podsOf(service).filter(pod => old.has(nameOf(pod))).length
        return { seen: old.size, hit: old.size - still }
      },
      undo: once(async () => {
        for (const workload of workloads) {
          await rolledOut(workload, clock, cluster)
          await options.restored(workload.path)
        }
      }),
    }
  }

  async function handOver(order: HandOver): Promise<Change> {
    const { namespace } = options.placeOf(order.service)
    const { group, version } = engines[order.engine]
    const plural = order.resource.toLowerCase() + (order.engine === 'istio' ? 's' : '')
    const fault = order.fault.toLowerCase().replace(/[^a-z0-9-]+/g, '-')
    const name = `shaketable-${fault.slice(0, 40)}-${options.runId.slice(-6)}`
    const list = `/apis/${group}/${version}/namespaces/${namespace}/${plural}`
    const path = `${list}/${name}`
    const resource: ShakenResource = {
      cluster: cluster.ref,
      path,
      name: `${order.resource} ${name} in ${namespace}`,
      undo: { kind: 'made', uid: undefined },
    }
    const undo = once(async () => {
      await restore(cluster, resource, clock)
      await options.restored(path)
    })
    const chaos = order.engine === 'chaosMesh'
    try {
      if (!chaos) await mustBeAlone(list, order)
      await options.shaking(resource)
      await cluster.call('POST', list, {
        apiVersion: `${group}/${version}`,
        kind: order.resource,
        metadata: {
          name,
          namespace,
          labels: { [mark.run]: options.runId, [mark.fault]: fault },
          annotations: { [mark.leaseEnds]: new Date(clock.wall() + order.lastsMs).toISOString() },
        },
        spec: chaos ? chaosSpec(order, namespace) : order.spec,
      })
      if (chaos) await chaosInjected(path, clock, cluster)
    } catch (error) {
      await undo().catch(() => {})
      explain(error)
    }
    const pods = { seen: order.instances.length, hit: order.instances.length }
    let last = pods
    return {
      hits: async () => {
        if (chaos) last = await chaosCounts(path, cluster).catch(() => last)
        return last
      },
      undo,
    }
  }

  /** Two VirtualServices of one host are merged by rules that nobody should have to know. */
  async function mustBeAlone(list: string, order: HandOver): Promise<void> {
    const hosts = order.spec.hosts as string[]
    const { items } = await cluster.call<{ items: { metadata: { name: string }; spec?: { hosts?: string[] } }[] }>(
      'GET',
      list,
    )
    const other = items.find(({ spec }) => spec?.hosts?.some(host => hosts.includes(host)))
    if (!other) return
    const words = `${order.fault}: the VirtualService ${other.metadata.name} routes ${hosts.join(', ')} already, and another one beside it would not do what it says`
    throw new ShaketableError('SHAKETABLE_FAULT_REFUSED', words, { hint: 'name another host, or inject it by the SDK' })
  }

  function chaosSpec({ spec, instances, lastsMs }: HandOver, namespace: string) {
    const names = instances.flatMap(instance =>
      instance instanceof KubernetesInstance && instance.pod ? nameOf(instance.pod) : [],
    )
    return { ...spec, mode: 'all', selector: { pods: { [namespace]: names } }, duration: `${lastsMs}ms` }
  }

  return {
    evict: async instance => {
      if (instance instanceof KubernetesInstance) await instance.evict().catch(explain)
    },
    scaleToZero,
    rollingRestart,
    handOver,
  }
}

function once(undo: () => Promise<void>): () => Promise<void> {
  let undone: Promise<void> | undefined
  return () => {
    undone ??= undo()
    return undone
  }
}
