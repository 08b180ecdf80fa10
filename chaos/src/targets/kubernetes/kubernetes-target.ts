import type { V1Pod } from '@kubernetes/client-node'
import { variable } from '@shaketable/sdk/names'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Journal } from '../../conduct/journal.ts'
import type { FaultSpec, System } from '../../experiment/model.ts'
import { isInsideProcess } from '../../faults/inside-process.ts'
import type { World } from '../../world.ts'
import type { InstanceEvent, Orchestrator, Target } from '../target.ts'
import { type Cluster, clusterHere } from './cluster.ts'
import { ClusterKeeper, type KeeperImage } from './cluster-keeper.ts'
import { explain, findPods, type PodsOf, placesOf, refused } from './find-pods.ts'
import { type Engine, engines, resourcesOf } from './handed-over.ts'
import { KubernetesInstance, mayTake, whyNotFreeze } from './kubernetes-instance.ts'
import { orchestrator } from './orchestrator.ts'
import { listPods, nameOf, podsPath, uidOf } from './pods.ts'
import { restore, type ShakenResource } from './restore.ts'
import { inWords, missing, type Right, toInject, toKeep, toLook, toReach } from './rights.ts'

const lookAgainMs = 200

/**
 * Shakes a system that runs as pods, found by their labels. It makes no pods: those that it deletes are replaced by their
 * controllers, and `stop` waits until they are.
 */
export function kubernetesTarget({
  world,
  journal,
  keeper,
}: {
  world: World
  journal: Journal
  /** To be run as a Job in the cluster: it outlives this machine. */
  keeper?: KeeperImage | undefined
}): Target {
  const { clock } = world
  const ended = new AbortController()
  const listeners: ((event: InstanceEvent) => void)[] = []
  const shaken = new Map<string, ShakenResource>()
  let cluster: Cluster
  let places: PodsOf[] = []
  let instances: KubernetesInstance[] = []
  /** Of each namespace, the rights that we lack in it. */
  const lacking = new Map<string, Right[]>()
  const served = new Map<Engine, string[]>()
  const keepers: ClusterKeeper[] = []
  let watching: Promise<void>[] = []
  let stopped: Promise<void> | undefined
  let ofCluster: Orchestrator | undefined

  const of = (service: string) => instances.filter(instance => instance.service === service)
  const urls = (service: string) => {
    const given = placeOf(service)?.kubernetes.url
    return given ? [given] : of(service).flatMap(({ url }) => url ?? [])
  }
  const placeOf = (service: string) => places.find(place => place.service.name === service) as PodsOf
  const emit = (event: InstanceEvent) => {
    for (const listener of listeners) listener(event)
  }

  async function start(system: System, signal: AbortSignal): Promise<void> {
    try {
      cluster = clusterHere(world.env)
      places = await placesOf(system, cluster)
      const found = await Promise.all(places.map(async place => ({ place, ...(await findPods(place, cluster)) })))
      mustBeOnesOwn(found)
      await lookAround()
      instances = found.flatMap(({ place, pods }) =>
        pods.map((pod, index) => instanceOf(place, pod, index, pods.length)),
      )
      ofCluster = orchestrator({ cluster, clock, runId: journal.runId, placeOf, instancesOf: of, shaking, restored })
      for (const instance of instances) await instance.open()
      mustBeReachable(system)
      signal.throwIfAborted()
      if (keeper) {
        const namespaces = [...new Set(places.map(place => place.namespace))]
        keepers.push(...namespaces.map(namespace => new ClusterKeeper({ cluster, clock, journal, namespace, keeper })))
        await Promise.all(keepers.map(each => each.start()))
      }
      watching = found.map(({ place, version }) => watch(place, version))
    } catch (error) {
      explain(error)
    }
  }

  /** What the faults will need: rights in each namespace, and the engines that they may be handed to. */
  async function lookAround(): Promise<void> {
    const reach = ['inCluster' in cluster.ref ? [] : toReach, keeper ? toKeep : []].flat()
    for (const namespace of new Set(places.map(place => place.namespace))) {
      const [blind] = await missing([...toLook, ...reach], namespace, cluster)
      if (blind)
        throw new ShaketableError(
          'SHAKETABLE_FORBIDDEN',
          `this user may not ${inWords(blind)} in ${namespace}; nothing was done`,
          { exitCode: exitCode.invalidInput, hint: 'docs/kubernetes.md has the Role that a run needs' },
        )
      const all = [
        ...new Map(
          Object.values(toInject)
            .flat()
            .map(right => [inWords(right), right]),
        ).values(),
      ]
      lacking.set(namespace, await missing(all, namespace, cluster))
    }
    for (const engine of Object.keys(engines) as Engine[]) served.set(engine, await resourcesOf(engine, cluster))
  }

  function instanceOf(place: PodsOf, pod: V1Pod, index: number, ready: number): KubernetesInstance {
    const { name } = place.service
    const { namespace } = place
    const { selector } = place.kubernetes
    return new KubernetesInstance({
      id: `${name}-${index + 1}`,
      of: place,
      pod,
      cluster,
      faultKey: world.env[variable.faultsKey],
      clock,
      emit,
      shaking: () =>
        shaking({
          cluster: cluster.ref,
          path: `${podsPath(namespace)}?labelSelector=${selector}`,
          name: `${name} (${selector} in ${namespace})`,
          undo: { kind: 'replaced', namespace, selector, ready },
        }),
    })
  }

  /** On disk before it is done: from here on the keeper and `sweep` would undo it. */
  async function shaking(resource: ShakenResource): Promise<void> {
    if (shaken.has(resource.path)) return
    shaken.set(resource.path, resource)
    await journal.append({ type: 'resource-shaking', ...resource })
    await tellKeepers()
  }

  async function tellKeepers(): Promise<void> {
    await Promise.all(keepers.map(each => each.mustUndo([...shaken.values()])))
  }

  function mustBeReachable(system: System): void {
    const loaded = new Set(
      system.journeys.flatMap(({ setup, steps }) => [...setup, ...steps].map(step => step.request.to)),
    )
    for (const { service } of places) {
      if (!loaded.has(service.name) || urls(service.name).length > 0) continue
      const words = `the pods of ${service.name} do not tell which port takes the load`
      throw refused(
        service.place,
        words,
        'name it: `kubernetes: { port: 8080 }`, or the address of its Service: `url: http://…`',
      )
    }
  }

  /** The cluster's own news of a service's pods, until the end; taken up by a new list where it broke off. */
  async function watch(place: PodsOf, from: string): Promise<void> {
    const { namespace, kubernetes } = place
    const pods = new Map<string, V1Pod>()
    for (const { pod } of of(place.service.name)) if (pod) pods.set(uidOf(pod), pod)
    for (let version: string | undefined = from; !ended.signal.aborted; version = undefined) {
      try {
        version ??= await relist()
        const query = { labelSelector: kubernetes.selector, resourceVersion: version }
        await cluster.watch(podsPath(namespace), query, seen, ended.signal)
      } catch {
        // The API server went away, or we did.
      }
      await clock.sleep(lookAgainMs, ended.signal).catch(() => {})
    }

    async function relist(): Promise<string> {
      const listed = await listPods({ namespace, selector: kubernetes.selector }, cluster)
      pods.clear()
      for (const pod of listed.pods) pods.set(uidOf(pod), pod)
      seat()
      return listed.version
    }
    function seen(change: string, object: unknown): void {
      const pod = object as V1Pod
      if (change === 'DELETED') pods.delete(uidOf(pod))
      else if (change === 'ADDED' || change === 'MODIFIED') pods.set(uidOf(pod), pod)
      seat()
    }
    function seat(): void {
      const seats = of(place.service.name)
      for (const instance of seats) if (instance.pod) instance.sees(pods.get(uidOf(instance.pod)))
      for (const instance of seats) {
        if (instance.pod) continue
        const taken = new Set(seats.flatMap(({ pod }) => (pod ? [uidOf(pod)] : [])))
        const next = [...pods.values()].find(pod => !taken.has(uidOf(pod)) && mayTake(pod))
        if (next) instance.takes(next)
      }
    }
  }

  async function stop(): Promise<void> {
    const results = await Promise.allSettled([...shaken.values()].map(undo))
    ended.abort()
    await Promise.all(watching)
    await Promise.all(instances.map(instance => instance.close()))
    const failure = results.find(result => result.status === 'rejected')
    await Promise.all(keepers.map(each => (failure ? each.abandon() : each.stop())))
    if (failure) throw failure.reason
  }

  async function undo(resource: ShakenResource): Promise<void> {
    try {
      await restore(cluster, resource, clock)
    } catch (cause) {
      throw new ShaketableError('SHAKETABLE_NOT_UNDONE', `${resource.name} ${(cause as Error).message}`, {
        exitCode: exitCode.notUndone,
        hint: 'shaketable sweep tries again',
        cause,
      })
    }
    await restored(resource.path)
  }

  async function restored(path: string): Promise<void> {
    shaken.delete(path)
    await journal.append({ type: 'resource-restored', path })
    // It would only find it as it was.
    await tellKeepers().catch(() => {})
  }

  function refuses(fault: FaultSpec): string | undefined {
    if (fault.kind === 'freeze') return whyNotFreeze
    const namespace = places.find(({ service }) => service.name === fault.service)?.namespace ?? ''
    if (fault.kind === 'chaosMesh' || fault.kind === 'istio') {
      const resource = fault.kind === 'istio' ? 'virtualservices' : fault.resource.toLowerCase()
      const { name, group } = engines[fault.kind]
      if (!served.get(fault.kind)?.includes(resource))
        return `${name} is not installed: the cluster serves no ${resource}.${group}`
    }
    const needs = toInject[fault.kind].map(inWords)
    const lacks = lacking
      .get(namespace)
      ?.map(inWords)
      .find(right => needs.includes(right))
    if (lacks) return `this user may not ${lacks} in ${namespace} (docs/kubernetes.md has the Role)`
    if (!isInsideProcess(fault)) return undefined
    if ('from' in fault && fault.from) return 'who calls whom (`from`) cannot be told yet between pods'
    const deaf = of(fault.service).find(instance => !instance.faultControl)
    const host = 'inCluster' in cluster.ref ? `, ${variable.faultsHost}=0.0.0.0` : ''
    const wants = `${variable.faults}=on${host}, a ${variable.faultsPort} and ${variable.faultsKey} (in your environment where it stands in a Secret)`
    return deaf && `${deaf.name} offers no fault control: it needs ${wants}`
  }

  return {
    kind: 'kubernetes',
    instances: of,
    start,
    urls,
    events: listener => void listeners.push(listener),
    refuses,
    get orchestrator() {
      return ofCluster
    },
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

/** Two services that share a pod would shake one another. */
function mustBeOnesOwn(found: { place: PodsOf; pods: V1Pod[] }[]): void {
  const owners = new Map<string, string>()
  for (const { place, pods } of found) {
    for (const pod of pods) {
      const { name } = place.service
      const other = owners.get(uidOf(pod))
      if (other) {
        const words = `the pod ${nameOf(pod)} is found by the selectors of two services, ${other} and ${name}`
        throw refused(place.service.place, words, 'give each service a selector of its own')
      }
      owners.set(uidOf(pod), name)
    }
  }
}

/** What runs of each service at this moment: `orders-1 (pod orders-6c9d-x2x7p)`. Only looks. */
export async function podsIn(system: System, env: NodeJS.ProcessEnv): Promise<Map<string, string[]>> {
  try {
    const cluster = clusterHere(env)
    const places = await placesOf(system, cluster)
    const found = await Promise.all(places.map(async place => ({ place, ...(await findPods(place, cluster)) })))
    mustBeOnesOwn(found)
    return new Map(
      found.map(({ place, pods }) => [
        place.service.name,
        pods.map((pod, index) => `${place.service.name}-${index + 1} (pod ${nameOf(pod)})`),
      ]),
    )
  } catch (error) {
    return explain(error)
  }
}
