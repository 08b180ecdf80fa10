import type { V1SelfSubjectAccessReview } from '@kubernetes/client-node'
import type { FaultKind } from '../../experiment/model.ts'
import type { Cluster } from './cluster.ts'

/** One line of a Role. */
export interface Right {
  verb: string
  group: string
  /** With its subresource: `pods/eviction`. */
  resource: string
}

const core = (verb: string, resource: string): Right => ({ verb, group: '', resource })
const apps = (verb: string, resource: string): Right => ({ verb, group: 'apps', resource })
const either = (verb: string, suffix = '') => [apps(verb, `deployments${suffix}`), apps(verb, `statefulsets${suffix}`)]
const handedTo = (group: string, ...resources: string[]): Right[] =>
  resources.flatMap(resource => ['get', 'list', 'create', 'delete'].map(verb => ({ verb, group, resource })))
const kills = [core('delete', 'pods')]

/** To find a system and to look at it. */
export const toLook: Right[] = [core('get', 'namespaces'), core('list', 'pods'), core('watch', 'pods')]
/** To reach a pod from outside of the cluster; the API server asks for both. */
export const toReach: Right[] = [core('get', 'pods/portforward'), core('create', 'pods/portforward')]

/** To have a keeper in the cluster. */
export const toKeep: Right[] = [
  ...['get', 'create', 'patch', 'delete'].map(verb => ({ verb, group: 'coordination.k8s.io', resource: 'leases' })),
  ...['get', 'create', 'delete'].map(verb => ({ verb, group: 'batch', resource: 'jobs' })),
]

/** What each fault needs beyond that. The Role that is shipped is exactly the sum of all. */
export const toInject: Record<FaultKind, Right[]> = {
  latency: [],
  error: [],
  reset: [],
  hang: [],
  truncate: [],
  bandwidth: [],
  stall: [],
  burn: [],
  memory: [],
  network: [],
  disconnect: [],
  limit: [],
  freeze: [],
  crash: kills,
  terminate: kills,
  evict: [core('create', 'pods/eviction')],
  scaleToZero: [
    apps('get', 'replicasets'),
    ...either('get'),
    ...either('get', '/scale'),
    ...either('update', '/scale'),
  ],
  rollingRestart: [apps('get', 'replicasets'), ...either('get'), ...either('patch')],
  chaosMesh: handedTo('chaos-mesh.org', 'networkchaos', 'stresschaos', 'podchaos').filter(
    ({ verb }) => verb !== 'list',
  ),
  istio: handedTo('networking.istio.io', 'virtualservices'),
}

/** What the keeper in the cluster needs: to look at its lease, and to undo what outlives a runner. */
export const toUndo: Right[] = [
  ...['get', 'delete'].map(verb => ({ verb, group: 'coordination.k8s.io', resource: 'leases' })),
  core('list', 'pods'),
  ...either('get'),
  ...either('get', '/scale'),
  ...either('update', '/scale'),
  ...[...toInject.chaosMesh, ...toInject.istio].filter(({ verb }) => verb === 'get' || verb === 'delete'),
]

export const inWords = ({ verb, group, resource }: Right): string =>
  `${verb} ${resource}${group === '' ? '' : ` (${group})`}`

/** Those of the rights that we lack, by the API server's own word. */
export async function missing(rights: Right[], namespace: string, cluster: Cluster): Promise<Right[]> {
  const asked = await Promise.all(rights.map(right => may(right, namespace, cluster)))
  return rights.filter((_, index) => !asked[index])
}

async function may({ verb, group, resource: path }: Right, namespace: string, cluster: Cluster): Promise<boolean> {
  const [resource, subresource] = path.split('/')
  const { status } = await cluster.call<V1SelfSubjectAccessReview>(
    'POST',
    '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews',
    {
      apiVersion: 'authorization.k8s.io/v1',
      kind: 'SelfSubjectAccessReview',
      spec: { resourceAttributes: { verb, group, resource, namespace, ...(subresource ? { subresource } : {}) } },
    },
  )
  return status?.allowed ?? false
}
