import type { V1OwnerReference, V1Pod, V1ReplicaSet } from '@kubernetes/client-node'
import { ShaketableError } from '@shaketable/slo'
import type { Cluster } from './cluster.ts'
import type { Workload } from './workloads.ts'

const kinds = new Map([
  ['Deployment', 'deployments'],
  ['StatefulSet', 'statefulsets'],
])

/** What makes these pods. Rejects for pods of anything that cannot be scaled as these can: a Job, a DaemonSet, one's own kind. */
export async function workloadsOf(pods: V1Pod[], namespace: string, cluster: Cluster): Promise<Workload[]> {
  if (pods.length === 0) throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', 'no pod of it is left')
  const found = new Map<string, Workload>()
  for (const pod of pods) {
    let owner = controllerOf(pod)
    if (owner?.kind === 'ReplicaSet') {
      const set = await cluster.call<V1ReplicaSet>(
        'GET',
        `/apis/apps/v1/namespaces/${namespace}/replicasets/${owner.name}`,
      )
      owner = controllerOf(set) ?? owner
    }
    const plural = owner && kinds.get(owner.kind)
    if (!owner || !plural) {
      const words = `${pod.metadata?.name} comes from ${owner ? `${owner.kind} ${owner.name}` : 'no controller'}: expected a Deployment or a StatefulSet`
      throw new ShaketableError('SHAKETABLE_NOT_IN_KUBERNETES', words)
    }
    const path = `/apis/apps/v1/namespaces/${namespace}/${plural}/${owner.name}`
    found.set(path, { path, name: `${owner.kind.toLowerCase()} ${owner.name}` })
  }
  return [...found.values()]
}

const controllerOf = ({ metadata }: V1Pod | V1ReplicaSet): V1OwnerReference | undefined =>
  metadata?.ownerReferences?.find(({ controller }) => controller)
