import type { V1Pod } from '@kubernetes/client-node'
import { variable } from '@shaketable/sdk/names'
import { ShaketableError } from '@shaketable/slo'
import type { Clock } from '../../world.ts'
import type { Instance, InstanceEvent } from '../target.ts'
import { type Cluster, Refused } from './cluster.ts'
import type { PodsOf } from './find-pods.ts'
import { environmentOf, isReady, nameOf, podsPath, uidOf, whyUnfit } from './pods.ts'
import { addressOf, type CurrentPod, forwardTo, type Reach } from './reach.ts'

const goneWithinMs = 15_000

export interface KubernetesInstanceOptions {
  id: string
  of: PodsOf
  pod: V1Pod
  cluster: Cluster
  /** For pods whose key does not stand in themselves but in a Secret. */
  faultKey: string | undefined
  clock: Clock
  emit(event: InstanceEvent): void
  /** On disk before a pod is shaken. */
  shaking(): Promise<void>
}

interface Life {
  pod: V1Pod
  serial: number
  restarts: number
  ready: boolean
  /** What we do to it, for the event of its end. */
  doing: string | undefined
  gone: Promise<void>
  end(): void
}

interface Ports {
  http: number | undefined
  admin: number | undefined
  faults: number | undefined
}

let lives = 0

/**
 * One place among a service's replicas. The pod in it is deleted and its controller makes another one, of another name, which
 * takes the place: so the instance keeps its id and its URL, as one of any other target.
 */
export class KubernetesInstance implements Instance {
  readonly id: string
  readonly service: string
  readonly #options: KubernetesInstanceOptions
  readonly #ports: Ports
  readonly #key: string | undefined
  #reaches: { http?: Reach; admin?: Reach; faults?: Reach } = {}
  #life: Life | undefined

  constructor(options: KubernetesInstanceOptions) {
    const { of, pod, id, faultKey } = options
    const env = environmentOf(pod)
    const withSdk = of.service.ready !== 'tcp'
    const [container] = pod.spec?.containers ?? []
    const admin = Number(env.OTEL_EXPORTER_PROMETHEUS_PORT ?? 9464)
    const faults = env[variable.faults] === 'on' ? Number(env[variable.faultsPort]) || undefined : undefined
    const others = (container?.ports ?? [])
      .map(port => port.containerPort)
      .filter(port => port !== admin && port !== faults)
    this.id = id
    this.service = of.service.name
    this.#options = options
    this.#ports = {
      http: of.kubernetes.port ?? (Number(env.PORT) || (others.length === 1 ? others[0] : undefined)),
      admin: withSdk ? admin : undefined,
      faults,
    }
    this.#key = env[variable.faultsKey] ?? faultKey
    this.#begins(pod)
  }

  /** Counts the pods and the lives of their containers: a number of its own for each. Nobody sees a pid from outside. */
  get pid(): number | undefined {
    return this.#life?.serial
  }

  get pod(): V1Pod | undefined {
    return this.#life?.pod
  }

  /** For people: `orders-1 (pod orders-6c9d-x2x7p)`. */
  get name(): string {
    return this.#life ? `${this.id} (pod ${nameOf(this.#life.pod)})` : this.id
  }

  get url(): string | undefined {
    const at = this.#reaches.http?.at
    return at && `${this.#options.of.service.ready === 'tcp' ? 'tcp' : 'http'}://${at}`
  }

  get adminUrl(): string | undefined {
    const at = this.#reaches.admin?.at
    return at && `http://${at}`
  }

  get faultControl(): { url: string; key: string } | undefined {
    const at = this.#reaches.faults?.at
    return at && this.#key ? { url: `http://${at}`, key: this.#key } : undefined
  }

  /** Makes it reachable, each port in one way for all the pods that it will be. */
  async open(): Promise<void> {
    const { cluster } = this.#options
    const current = () => this.#current()
    for (const [name, port] of Object.entries(this.#ports) as [keyof Ports, number | undefined][]) {
      if (port === undefined) continue
      this.#reaches[name] =
        'inCluster' in cluster.ref ? addressOf(port, current) : await forwardTo(port, current, cluster)
    }
    this.#emit('started', `found running as ${nameOf(this.#life!.pod)}`)
    this.#emit('ready')
  }

  async close(): Promise<void> {
    await Promise.all(Object.values(this.#reaches).map(reach => reach.close()))
  }

  /**
   * Deleted with no grace: the API server forgets the pod at once. Its kubelet still sends SIGTERM, and SIGKILL 2 s later:
   * nothing that a pod's API offers kills as hard as a crash does.
   */
  async crash(): Promise<void> {
    await this.#delete(0, 'deleted with grace 0: SIGTERM, and SIGKILL 2 s later')
  }

  /** Deleted with the declared grace, in whole seconds, for which the pod's own gives way. */
  async terminate(graceMs: number): Promise<void> {
    const seconds = Math.max(1, Math.ceil(graceMs / 1000))
    await this.#delete(seconds, `deleted with a grace of ${seconds} s`)
  }

  async freeze(): Promise<void> {
    throw new ShaketableError('SHAKETABLE_NOT_IN_KUBERNETES', `${this.id}: ${whyNotFreeze}`)
  }

  /** Nothing is ever frozen here. */
  async resume(): Promise<void> {}

  /** Asks for an eviction, which a PodDisruptionBudget may forbid: that is an outcome of its own, and the pod lives on. */
  async evict(): Promise<void> {
    const { cluster, of } = this.#options
    const life = this.#life
    if (!life) return
    await this.#options.shaking()
    life.doing = 'evicted'
    const name = nameOf(life.pod)
    const body = {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name, namespace: of.namespace },
      deleteOptions: { preconditions: { uid: uidOf(life.pod) } },
    }
    try {
      await cluster.call('POST', `${podsPath(of.namespace)}/${name}/eviction`, body)
    } catch (error) {
      life.doing = undefined
      if (!(error instanceof Refused)) throw error
      if (error.status === 429) {
        throw new ShaketableError(
          'SHAKETABLE_BLOCKED_BY_PDB',
          `${this.name} is not evicted: blocked by its PodDisruptionBudget: ${error.message}`,
        )
      }
      throw this.#lost(error)
    }
    await this.#goes(life, graceOf(life.pod) * 1000)
  }

  /** What the cluster shows of its pod by now; `undefined` once that is gone. */
  sees(pod: V1Pod | undefined): void {
    const life = this.#life
    if (!life) return
    if (!pod || pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded') {
      this.#ends(life, pod)
      return
    }
    life.pod = pod
    const restarts = restartsOf(pod)
    if (restarts > life.restarts) {
      life.restarts = restarts
      life.ready = false
      life.serial = ++lives
      this.#emit('exited', howItEnded(pod))
      this.#emit('started', `restarted in ${nameOf(pod)}`)
    }
    this.#becomesReady(life)
  }

  /** A pod that nobody is yet takes the place of the one that went. */
  takes(pod: V1Pod): void {
    const life = this.#begins(pod, false)
    this.#emit('started', `replaced by ${nameOf(pod)}`)
    this.#becomesReady(life)
  }

  #begins(pod: V1Pod, ready = true): Life {
    const { promise: gone, resolve: end } = Promise.withResolvers<void>()
    this.#life = { pod, serial: ++lives, restarts: restartsOf(pod), ready, doing: undefined, gone, end }
    return this.#life
  }

  #becomesReady(life: Life): void {
    if (life.ready || !isReady(life.pod)) return
    life.ready = true
    this.#emit('ready')
  }

  #ends(life: Life, pod: V1Pod | undefined): void {
    this.#life = undefined
    this.#emit(
      'exited',
      life.doing ?? (pod ? (pod.status?.reason ?? `is ${pod.status?.phase}`) : 'deleted by somebody else'),
    )
    life.end()
  }

  async #delete(graceSeconds: number, words: string): Promise<void> {
    const { cluster, of } = this.#options
    const life = this.#life
    if (!life) return
    await this.#options.shaking()
    life.doing = words
    const options = {
      apiVersion: 'v1',
      kind: 'DeleteOptions',
      gracePeriodSeconds: graceSeconds,
      preconditions: { uid: uidOf(life.pod) },
    }
    try {
      await cluster.call('DELETE', `${podsPath(of.namespace)}/${nameOf(life.pod)}`, options)
    } catch (error) {
      life.doing = undefined
      throw error instanceof Refused ? this.#lost(error) : error
    }
    await this.#goes(life, graceSeconds * 1000)
  }

  /** Another pod bears its name, or none does: what was chosen is not there to be hit. */
  #lost(error: Refused): Error {
    if (error.status !== 404 && error.status !== 409) return error
    const words = `${this.name} was replaced before it could be hit: ${error.message}`
    return new ShaketableError('SHAKETABLE_INSTANCE_DOWN', words, { cause: error })
  }

  async #goes(life: Life, graceMs: number): Promise<void> {
    const gone = new AbortController()
    const tooLate = this.#options.clock.sleep(graceMs + goneWithinMs, gone.signal).then(
      () => {
        throw new Error(
          `${this.name} is still there ${(graceMs + goneWithinMs) / 1000} s after it was deleted: a finalizer holds it, or its node is lost`,
        )
      },
      () => {},
    )
    await Promise.race([life.gone, tooLate]).finally(() => gone.abort())
  }

  #current(): CurrentPod | undefined {
    const pod = this.#life?.pod
    return pod && { namespace: this.#options.of.namespace, name: nameOf(pod), ip: pod.status?.podIP }
  }

  #emit(kind: InstanceEvent['kind'], detail?: string): void {
    this.#options.emit({ at: this.#options.clock.now(), instance: this.id, kind, detail })
  }
}

export const whyNotFreeze =
  'the first process of a container cannot be stopped from inside it, and nothing else reaches it from outside; hand a NetworkChaos of 100 % loss to Chaos Mesh instead'

const restartsOf = (pod: V1Pod): number =>
  (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount }) => sum + restartCount, 0)

const graceOf = (pod: V1Pod): number => pod.spec?.terminationGracePeriodSeconds ?? 30

/** By the last container that ended, e.g. `OOMKilled` or `exit code 1`. */
function howItEnded(pod: V1Pod): string {
  const ends = (pod.status?.containerStatuses ?? []).flatMap(({ lastState }) => lastState?.terminated ?? [])
  const last = ends.at(-1)
  if (!last) return 'a container restarted'
  return last.exitCode === 137 && last.reason !== 'OOMKilled'
    ? 'SIGKILL'
    : last.reason && last.reason !== 'Error'
      ? last.reason
      : `exit code ${last.exitCode}`
}

/** Whether a pod that is nobody's yet may take an empty place. */
export const mayTake = (pod: V1Pod): boolean => {
  const why = whyUnfit(pod)
  return why === undefined || why === 'is not Ready'
}
