import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Journal } from '../../conduct/journal.ts'
import type { Clock } from '../../world.ts'
import { type Cluster, Refused } from './cluster.ts'
import { mark } from './handed-over.ts'
import { restore, type ShakenResource } from './restore.ts'

/** Whoever has not renewed the lease for so long is dead. */
const leaseSeconds = 30
const renewEveryMs = 10_000
const readyWithinMs = 120_000
const pollMs = 200
/** On the lease: what is to be undone, as JSON. */
export const undoAnnotation = 'shaketable.dev/undo'

/** What the keeper's Job runs. */
export interface KeeperImage {
  /** With `shaketable` in its PATH. */
  image: string
  serviceAccount: string
}

/** What the keeper in the cluster has to know of a change: the cluster is its own. */
export type KeptChange = Pick<ShakenResource, 'path' | 'name' | 'undo'>

/** What it needs to look at the lease, and to know of its end. */
export interface KeptLease {
  metadata: { uid: string; annotations?: Record<string, string> }
  spec: { leaseDurationSeconds: number; renewTime: string }
}

export const leasePath = (namespace: string, name: string) =>
  `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${name}`

export interface ClusterKeeperOptions {
  cluster: Cluster
  clock: Clock
  journal: Journal
  namespace: string
  keeper: KeeperImage
}

/**
 * The keeper of one namespace that outlives this machine: a Job whose pod watches a lease, and undoes what stands on it when nobody
 * renews it any more. Where the lease is gone there is nothing left to undo, and the Job, which it owns, goes with it.
 */
export class ClusterKeeper {
  readonly #options: ClusterKeeperOptions
  readonly #made: ShakenResource[] = []
  readonly #ended = new AbortController()
  #renewing: Promise<void> = Promise.resolve()
  #told: Promise<unknown> = Promise.resolve()

  constructor(options: ClusterKeeperOptions) {
    this.#options = options
  }

  /** Resolves when its pod is Ready: from here on somebody watches. */
  async start(): Promise<void> {
    const { namespace, keeper, journal, clock, cluster } = this.#options
    const metadata = { name: this.#name, namespace, labels: { [mark.run]: journal.runId } }
    const lease = await this.#make<KeptLease>(leasePath(namespace, ''), {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { ...metadata, annotations: { [undoAnnotation]: '[]' } },
      spec: { holderIdentity: journal.runId, leaseDurationSeconds: leaseSeconds, renewTime: this.#now() },
    })
    await this.#make(jobPath(namespace, ''), jobOf(metadata, lease.metadata.uid, keeper))
    this.#renewing = this.#renew()
    for (const until = clock.now() + readyWithinMs; ; await clock.sleep(pollMs)) {
      const { status } = await cluster.call<{ status: { ready?: number } }>('GET', jobPath(namespace, this.#name))
      if (status.ready) return
      if (clock.now() < until) continue
      const words = `the keeper's Job ${this.#name} in ${namespace} has no ready pod after ${readyWithinMs / 1000} s, so nothing was done`
      const hint = `kubectl -n ${namespace} describe job ${this.#name} (image ${keeper.image}, service account ${keeper.serviceAccount})`
      throw new ShaketableError('SHAKETABLE_NO_KEEPER', words, { exitCode: exitCode.void, hint })
    }
  }

  /** Resolves once it stands on the lease: do afterwards what it announces. */
  async mustUndo(changes: readonly ShakenResource[]): Promise<void> {
    const { cluster, namespace } = this.#options
    const mine = changes.filter(({ path }) => path.includes(`/namespaces/${namespace}/`))
    const kept: KeptChange[] = mine.map(({ path, name, undo }) => ({ path, name, undo }))
    const annotations = { [undoAnnotation]: JSON.stringify(kept) }
    const tell = () =>
      cluster.call('PATCH', leasePath(namespace, this.#name), { metadata: { annotations } }, mergePatch)
    // One after the other: the last one told is to be the last one written.
    const told = this.#told.then(tell)
    this.#told = told.catch(() => {})
    await told
  }

  /** Nothing is left to undo: the Job ends, and both are removed. Idempotent. */
  async stop(): Promise<void> {
    await this.abandon()
    const { cluster, clock, journal } = this.#options
    for (const made of this.#made.toReversed()) {
      await restore(cluster, made, clock)
      await journal.append({ type: 'resource-restored', path: made.path })
    }
    this.#made.length = 0
  }

  /** Renews no more, so that it undoes what we could not. */
  async abandon(): Promise<void> {
    this.#ended.abort()
    await this.#renewing
  }

  get #name(): string {
    return `shaketable-${this.#options.journal.runId}`
  }

  async #make<T>(list: string, body: { kind: string; [field: string]: unknown }): Promise<T> {
    const { cluster, journal, namespace } = this.#options
    const path = `${list}${this.#name}`
    const undo = { kind: 'made', uid: undefined } as const
    const made = { cluster: cluster.ref, path, name: `${body.kind} ${this.#name} in ${namespace}`, undo }
    await journal.append({ type: 'resource-shaking', ...made })
    this.#made.push(made)
    return cluster.call<T>('POST', list.slice(0, -1), body)
  }

  async #renew(): Promise<void> {
    const { cluster, clock, namespace } = this.#options
    for (const { signal } = this.#ended; ; ) {
      await clock.sleep(renewEveryMs, signal).catch(() => {})
      if (signal.aborted) return
      const renewed = { spec: { renewTime: this.#now() } }
      // An API server that is away for a moment is asked again before the lease ends.
      await cluster.call('PATCH', leasePath(namespace, this.#name), renewed, mergePatch).catch(() => {})
    }
  }

  /** As a MicroTime. */
  #now(): string {
    return new Date(this.#options.clock.wall()).toISOString().replace('Z', '000Z')
  }
}

const mergePatch = 'application/merge-patch+json'
const jobPath = (namespace: string, name: string) => `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`

function jobOf(
  metadata: { name: string; namespace: string; labels: Record<string, string> },
  leaseUid: string,
  { image, serviceAccount }: KeeperImage,
) {
  const { name, namespace, labels } = metadata
  const owner = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', name, uid: leaseUid }
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { ...metadata, ownerReferences: [owner] },
    spec: {
      backoffLimit: 6,
      template: {
        metadata: { labels },
        spec: {
          restartPolicy: 'OnFailure',
          serviceAccountName: serviceAccount,
          securityContext: { runAsNonRoot: true, runAsUser: 1000, seccompProfile: { type: 'RuntimeDefault' } },
          containers: [
            {
              name: 'keeper',
              image,
              command: ['shaketable', 'keep', '--namespace', namespace, '--lease', name],
              resources: { requests: { cpu: '10m', memory: '64Mi' }, limits: { memory: '256Mi' } },
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
            },
          ],
        },
      },
    },
  }
}

export type Kept = { outcome: 'released' } | { outcome: 'undone'; undone: string[]; problems: string[] }

/**
 * What the Job's pod does: waits until the lease is gone (`released`), or has not been renewed for as long as it lasts, by our own
 * clock, and then undoes what stands on it.
 */
export async function keepLease(
  { namespace, name }: { namespace: string; name: string },
  cluster: Cluster,
  clock: Clock,
  signal: AbortSignal,
): Promise<Kept> {
  const path = leasePath(namespace, name)
  let [renewed, since] = ['', clock.now()]
  for (;;) {
    signal.throwIfAborted()
    const lease = await cluster.call<KeptLease>('GET', path).catch(error => {
      if (error instanceof Refused && error.status === 404) return undefined
      if (error instanceof Refused) throw error
      return 'unanswered' as const
    })
    if (!lease) return { outcome: 'released' }
    if (lease !== 'unanswered') {
      if (lease.spec.renewTime !== renewed) [renewed, since] = [lease.spec.renewTime, clock.now()]
      if (clock.now() - since > lease.spec.leaseDurationSeconds * 1000) return undo(lease)
    }
    await clock.sleep(1000, signal)
  }

  async function undo({ metadata }: KeptLease): Promise<Kept> {
    const changes = JSON.parse(metadata.annotations?.[undoAnnotation] ?? '[]') as KeptChange[]
    const [undone, problems]: [string[], string[]] = [[], []]
    // The last one first: a service that was scaled up and lost pods then is to have them as long as it is so large.
    for (const change of changes.toReversed()) {
      try {
        undone.push(`${await restore(cluster, { ...change, cluster: cluster.ref }, clock)} ${change.name}`)
      } catch (error) {
        problems.push(`${change.name} ${(error as Error).message}`)
      }
    }
    // With the lease goes the Job that it owns.
    if (problems.length === 0) {
      const lease = { cluster: cluster.ref, path, name, undo: { kind: 'made', uid: metadata.uid } } as const
      await restore(cluster, lease, clock)
    }
    return { outcome: 'undone', undone, problems }
  }
}
