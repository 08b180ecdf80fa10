import type { V1Namespace, V1Pod } from '@kubernetes/client-node'
import { exitCode, type Place, ShaketableError } from '@shaketable/slo'
import type { KubernetesPods, Service, System } from '../../experiment/model.ts'
import { type Cluster, NoCluster, Refused } from './cluster.ts'
import { listPods, nameOf, whyUnfit } from './pods.ts'

/** What the cluster itself lives on, and the engines that faults are handed to. */
const protectedNamespaces = ['kube-system', 'kube-public', 'kube-node-lease', 'chaos-mesh', 'istio-system']
/** On a namespace, it keeps every run out: `kubectl label namespace shop shaketable.dev/protected=true`. */
export const protectedLabel = 'shaketable.dev/protected'

/** A service's pods: where, and by which selector. */
export interface PodsOf {
  service: Service
  kubernetes: KubernetesPods
  namespace: string
}

/** Where each service is looked for. Rejects where one says nothing, or lies in a namespace that must not be shaken. */
export async function placesOf(system: System, cluster: Cluster): Promise<PodsOf[]> {
  const places = system.services.map(service => {
    const { kubernetes, name, place } = service
    if (!kubernetes) {
      const words = `the service ${name} has no \`kubernetes:\``
      throw refused(place, words, `add \`kubernetes: { selector: app=${name} }\` to it`)
    }
    return { service, kubernetes, namespace: kubernetes.namespace ?? cluster.namespace }
  })
  for (const namespace of new Set(places.map(place => place.namespace))) {
    const { service } = places.find(place => place.namespace === namespace) as PodsOf
    const why = await whyProtected(namespace, cluster)
    if (why)
      throw refused(
        service.place,
        `the namespace ${namespace} of the service ${service.name} ${why}`,
        'name another one: `kubernetes: { namespace: … }`',
      )
  }
  return places
}

async function whyProtected(namespace: string, cluster: Cluster): Promise<string | undefined> {
  if (protectedNamespaces.includes(namespace)) return 'belongs to the cluster, and is never shaken'
  const { metadata } = await cluster.call<V1Namespace>('GET', `/api/v1/namespaces/${namespace}`)
  return metadata?.labels?.[protectedLabel] === 'true' ? `is protected by its label ${protectedLabel}` : undefined
}

/** The pods of a service that may be shaken. Rejects where there is none, and says of each one that was found why not. */
export async function findPods(of: PodsOf, cluster: Cluster): Promise<{ pods: V1Pod[]; version: string }> {
  const { pods, version } = await listPods({ namespace: of.namespace, selector: of.kubernetes.selector }, cluster)
  const fit = pods.filter(pod => whyUnfit(pod) === undefined)
  if (fit.length > 0) return { pods: fit, version }
  const { service, kubernetes, namespace } = of
  const hint = `kubectl -n ${namespace} get pods -l ${kubernetes.selector} shows what is looked for`
  const which = `of the service ${service.name} (${kubernetes.selector} in ${namespace})`
  if (pods.length === 0) throw refused(service.place, `there is no pod ${which}`, hint)
  const reasons = pods.map(pod => `${nameOf(pod)} ${whyUnfit(pod)}`).join('; ')
  throw refused(service.place, `no pod ${which} is fit to be shaken: ${reasons}`, hint)
}

export function refused({ file, line, column }: Place, words: string, hint: string): ShaketableError {
  const message = `${file}:${line}:${column}: ${words}; nothing was done`
  return new ShaketableError('SHAKETABLE_NOT_IN_KUBERNETES', message, { exitCode: exitCode.invalidInput, hint })
}

/** The API server's own words name the verb, the resource and the namespace. */
export function explain(error: unknown): never {
  if (error instanceof NoCluster) {
    throw new ShaketableError('SHAKETABLE_NO_CLUSTER', error.message, {
      exitCode: exitCode.invalidInput,
      hint: 'kubectl version tells whether it is reachable; KUBECONFIG says which file is read',
      cause: error,
    })
  }
  if (!(error instanceof Refused)) throw error
  const rights = error.status === 403
  throw new ShaketableError(
    rights ? 'SHAKETABLE_FORBIDDEN' : 'SHAKETABLE_REFUSED_BY_CLUSTER',
    `the API server refuses: ${error.message}`,
    {
      exitCode: exitCode.invalidInput,
      ...(rights ? { hint: 'docs/kubernetes.md has the Role that a run needs' } : {}),
      cause: error,
    },
  )
}
