import type { V1Deployment, V1Scale } from '@kubernetes/client-node'
import type { Clock } from '../../world.ts'
import { type Cluster, Refused } from './cluster.ts'

const pollMs = 200
const rolledOutWithinMs = 120_000

/** A Deployment or a StatefulSet: what a service's pods come from. */
export interface Workload {
  /** In the REST API. */
  path: string
  /** `deployment payments` */
  name: string
}

export const readScale = ({ path }: Workload, cluster: Cluster): Promise<V1Scale> =>
  cluster.call<V1Scale>('GET', `${path}/scale`)

/** Resolves with whether it was done: another may have written since `scale` was read. */
export async function writeScale(
  { path }: Workload,
  scale: V1Scale,
  replicas: number,
  cluster: Cluster,
): Promise<boolean> {
  try {
    await cluster.call('PUT', `${path}/scale`, { ...scale, spec: { replicas } })
    return true
  } catch (error) {
    if (error instanceof Refused && error.status === 409) return false
    throw error
  }
}

/** As `kubectl rollout restart` does it. Resolves when the cluster has taken it. */
export async function restartRolling({ path }: Workload, at: Date, cluster: Cluster): Promise<void> {
  const annotations = { 'kubectl.kubernetes.io/restartedAt': at.toISOString() }
  const patch = { spec: { template: { metadata: { annotations } } } }
  await cluster.call('PATCH', path, patch, 'application/strategic-merge-patch+json')
}

/** Resolves when every replica is of the newest kind and available; rejects with how far it came. */
export async function rolledOut({ path, name }: Workload, clock: Clock, cluster: Cluster): Promise<void> {
  for (const until = clock.now() + rolledOutWithinMs; ; await clock.sleep(pollMs)) {
    const { metadata, spec, status } = await cluster.call<V1Deployment>('GET', path)
    const wanted = spec?.replicas ?? 1
    const seen = (status?.observedGeneration ?? 0) >= (metadata?.generation ?? 0)
    const { replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status ?? {}
    if (seen && updatedReplicas === wanted && availableReplicas === wanted && replicas === wanted) return
    if (clock.now() < until) continue
    throw new Error(
      `${name} has ${Math.min(updatedReplicas, availableReplicas)} of ${wanted} new replicas after ${rolledOutWithinMs / 1000} s`,
    )
  }
}
