import type { V1Pod, V1PodList } from '@kubernetes/client-node'
import type { Cluster } from './cluster.ts'

export const podsPath = (namespace: string) => `/api/v1/namespaces/${namespace}/pods`

/** Every pod that the selector finds, fit or not, and the version of the list, from which a watch goes on. */
export async function listPods(
  { selector, namespace }: { selector: string; namespace: string },
  cluster: Cluster,
): Promise<{ pods: V1Pod[]; version: string }> {
  const query = new URLSearchParams({ labelSelector: selector })
  const { items, metadata } = await cluster.call<V1PodList>('GET', `${podsPath(namespace)}?${query}`)
  return { pods: items.sort(byName), version: metadata?.resourceVersion ?? '' }
}

/** Why a pod is left alone, in words that follow its name; `undefined` where it is Running, Ready, not ending, and would be replaced. */
export function whyUnfit(pod: V1Pod): string | undefined {
  if (pod.metadata?.deletionTimestamp) return 'is being deleted'
  if (pod.status?.phase !== 'Running') return `is ${pod.status?.phase ?? 'of no phase'}, not Running`
  if (!isReady(pod)) return 'is not Ready'
  if (!pod.metadata?.ownerReferences?.some(({ controller }) => controller))
    return 'has no controller, so nothing would replace it'
  return undefined
}

export function isReady(pod: V1Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True') ?? false
}

const byName = (a: V1Pod, b: V1Pod) => nameOf(a).localeCompare(nameOf(b), 'en', { numeric: true })
export const nameOf = (pod: V1Pod): string => pod.metadata?.name ?? ''
export const uidOf = (pod: V1Pod): string => pod.metadata?.uid ?? ''

/** The environment of its first container, as far as it stands in the pod itself. */
export function environmentOf(pod: V1Pod): Record<string, string> {
  const [container] = pod.spec?.containers ?? []
  return Object.fromEntries(
    (container?.env ?? []).flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])),
  )
}
