import type { Clock } from '../../world.ts'
import { type Cluster, type ClusterRef, clusterAgain, Refused } from './cluster.ts'
import { listPods, whyUnfit } from './pods.ts'
import { readScale, rolledOut, writeScale } from './workloads.ts'

const withinMs = 60_000
const pollMs = 200

/** What a run has changed in a cluster, or was about to, and how it is undone. It stands in the journal. */
export interface ShakenResource {
  cluster: ClusterRef
  /** Its path in the REST API, which is also its name in the journal. */
  path: string
  /** For people: `payments (deployment payments in shop)`. */
  name: string
  undo: Undoing
}

export type Undoing =
  /** Pods were deleted: their controller replaces them, and so many are to be Ready. */
  | { kind: 'replaced'; namespace: string; selector: string; ready: number }
  | Scaled
  /** It was restarted, one replica after the other, and is to have come to its end. */
  | { kind: 'rolling' }
  /** It was made by us, and is to be gone. */
  | { kind: 'made'; uid: string | undefined }

/** It was scaled to `to`, and is to have `from` again unless somebody else has scaled it since. */
export interface Scaled {
  kind: 'scaled'
  uid: string
  from: number
  to: number
}

/** Resolves with what it took, once the cluster shows it. Two at once do not disturb one another. */
export async function restore(cluster: Cluster, shaken: ShakenResource, clock: Clock): Promise<string> {
  const { path, undo } = shaken
  if (undo.kind === 'scaled') {
    const done = await restoreScale(cluster, { ...shaken, undo })
    await rolledOut(shaken, clock, cluster)
    return done
  }
  if (undo.kind === 'rolling') {
    await rolledOut(shaken, clock, cluster)
    return 'found rolled out'
  }
  if (undo.kind === 'made') return remove(cluster, path, undo.uid, clock)
  return awaitReplaced(cluster, undo, clock)
}

/** Gives it its replicas again, unless somebody else has scaled it since. Resolves once that is written. */
export async function restoreScale(cluster: Cluster, { path, name, undo }: ShakenResource & { undo: Scaled }) {
  const workload = { path, name }
  for (;;) {
    const scale = await orGone(readScale(workload, cluster))
    if (!scale || scale.metadata?.uid !== undo.uid) return 'found removed'
    const replicas = scale.spec?.replicas ?? 0
    if (replicas === undo.from) return `found at ${undo.from} replicas`
    if (replicas !== undo.to) return `left at ${replicas} replicas, to which somebody has scaled it since,`
    if (await writeScale(workload, scale, undo.from, cluster)) return `scaled to ${undo.from} replicas again`
  }
}

async function remove(cluster: Cluster, path: string, uid: string | undefined, clock: Clock): Promise<string> {
  // A Job would leave its pods behind.
  const options = { propagationPolicy: 'Background', ...(uid === undefined ? {} : { preconditions: { uid } }) }
  let done = 'found removed'
  for (const until = clock.now() + withinMs; ; ) {
    const found = await orGone(cluster.call<{ metadata: { uid: string } }>('GET', path))
    if (!found || (uid !== undefined && found.metadata.uid !== uid)) return done
    if (clock.now() > until) throw new Error(`is still there after ${withinMs / 1000} s: a finalizer holds it`)
    await orGone(cluster.call('DELETE', path, { apiVersion: 'v1', kind: 'DeleteOptions', ...options }))
    done = 'removed'
    await clock.sleep(pollMs)
  }
}

async function awaitReplaced(
  cluster: Cluster,
  { namespace, selector, ready }: Undoing & { kind: 'replaced' },
  clock: Clock,
) {
  for (const until = clock.now() + withinMs; ; await clock.sleep(pollMs)) {
    const { pods } = await listPods({ namespace, selector }, cluster)
    const fit = pods.filter(pod => whyUnfit(pod) === undefined).length
    if (fit >= ready) return `found ${fit} pods ready of`
    if (clock.now() > until) throw new Error(`has ${fit} of ${ready} pods ready after ${withinMs / 1000} s`)
  }
}

async function orGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return undefined
    throw error
  }
}

/** Restores what a dead run left, for the keeper and `sweep`. */
export async function restoreAll(
  shaken: ShakenResource[],
  clock: Clock,
): Promise<{ undone: string[]; problems: string[] }> {
  const [undone, problems]: [string[], string[]] = [[], []]
  await Promise.all(
    shaken.map(async resource => {
      try {
        undone.push(`${await restore(clusterAgain(resource.cluster), resource, clock)} ${resource.name}`)
      } catch (error) {
        problems.push(`${resource.name} ${(error as Error).message}`)
      }
    }),
  )
  return { undone, problems }
}
