import type { V1Deployment, V1Pod } from '@kubernetes/client-node'
import { z } from 'zod'
import { choose } from '../../random.ts'
import type { Cluster } from '../../targets/kubernetes/cluster.ts'
import { listPods, nameOf, podsPath, uidOf, whyUnfit } from '../../targets/kubernetes/pods.ts'
import type { ShakenResource } from '../../targets/kubernetes/restore.ts'
import { type MappedContext, type MappedFunction, mapped } from './mapped.ts'

const name = z.string().regex(/^[a-z0-9][a-z0-9.-]*$/)
const ns = name.default('default')
const selector = z.string().min(1)

const terminatePods = mapped(
  'action',
  z.strictObject({
    label_selector: selector,
    ns,
    all: z.boolean().default(false),
    rand: z.boolean().default(false),
    mode: z.enum(['fixed', 'percentage']).default('fixed'),
    qty: z.number().int().min(1).default(1),
    grace_period: z.number().int().default(-1),
    order: z.literal('alphabetic').optional(),
  }),
  async (given, context) => {
    const cluster = await context.cluster()
    await mustBeFree(given.ns, cluster)
    const { label_selector: labels, ns: namespace } = given
    const { pods } = await listPods({ namespace, selector: labels }, cluster)
    const fit = pods.filter(pod => whyUnfit(pod) === undefined)
    if (fit.length === 0) throw new Error(`no pod of ${labels} in ${namespace} is fit to be hit: ${reasons(pods)}`)
    const wanted = given.mode === 'percentage' ? Math.ceil((given.qty * fit.length) / 100) : given.qty
    const chosen = given.all ? fit : given.rand ? choose(fit, wanted, context.seed) : fit.slice(0, wanted)
    if (!given.all && chosen.length < wanted) {
      throw new Error(
        `${wanted} pods of ${labels} in ${namespace} are to be hit, and only ${fit.length} are fit: ${reasons(pods)}`,
      )
    }
    await shakes(
      cluster,
      {
        path: `${podsPath(namespace)}?labelSelector=${labels}`,
        name: `the pods of ${labels} in ${namespace}`,
        undo: { kind: 'replaced', namespace, selector: labels, ready: fit.length },
      },
      context,
    )
    for (const pod of chosen) {
      await cluster.call('DELETE', `${podsPath(namespace)}/${nameOf(pod)}`, {
        apiVersion: 'v1',
        kind: 'DeleteOptions',
        // Another pod of the same name is not the one that was chosen.
        preconditions: { uid: uidOf(pod) },
        ...(given.grace_period >= 0 ? { gracePeriodSeconds: given.grace_period } : {}),
      })
    }
    return chosen.map(nameOf)
  },
)

const countPods = z.strictObject({ label_selector: selector, ns, phase: z.string().nullish() })

/** chaosk8s: what has an equal among our own faults. */
export const kubernetesFunctions: Record<string, MappedFunction> = {
  'chaosk8s.pod.actions.terminate_pods': terminatePods,
  'chaosk8s.deployment.actions.scale_deployment': mapped(
    'action',
    z.strictObject({ name, replicas: z.number().int().min(0), ns }),
    async ({ name: deployment, replicas, ns: namespace }, context) => {
      const cluster = await context.cluster()
      await mustBeFree(namespace, cluster)
      const { readScale, writeScale } = await import('../../targets/kubernetes/workloads.ts')
      const workload = { path: deploymentPath(namespace, deployment), name: `deployment ${deployment}` }
      for (;;) {
        const scale = await readScale(workload, cluster)
        const from = scale.spec?.replicas ?? 0
        if (from === replicas) throw new Error(`${workload.name} in ${namespace} has ${replicas} replicas already`)
        const undo = { kind: 'scaled', uid: scale.metadata?.uid ?? '', from, to: replicas } as const
        await shakes(cluster, { path: workload.path, name: `${workload.name} in ${namespace}`, undo }, context)
        if (await writeScale(workload, scale, replicas, cluster)) return { from, to: replicas }
      }
    },
  ),
  'chaosk8s.deployment.probes.deployment_available_and_healthy': mapped(
    'probe',
    z.strictObject({ name, ns, raise_on_unavailable: z.boolean().default(true) }),
    async ({ name: deployment, ns: namespace, raise_on_unavailable: raise }, context) => {
      const cluster = await context.cluster()
      const { spec, status } = await cluster.call<V1Deployment>('GET', deploymentPath(namespace, deployment))
      const [wanted, available] = [spec?.replicas ?? 1, status?.availableReplicas ?? 0]
      if (available >= wanted) return true
      if (!raise) return false
      throw new Error(`deployment ${deployment} in ${namespace} has ${available} of ${wanted} replicas available`)
    },
  ),
  'chaosk8s.pod.probes.count_pods': mapped(
    'probe',
    countPods,
    async (given, context) => (await inPhase(given, context)).length,
  ),
  'chaosk8s.pod.probes.pods_in_phase': mapped(
    'probe',
    z.strictObject({ label_selector: selector, ns, phase: z.string().default('Running') }),
    async ({ label_selector: labels, ns: namespace, phase }, context) => {
      const { pods } = await listPods({ namespace, selector: labels }, await context.cluster())
      if (pods.length === 0) throw new Error(`there is no pod of ${labels} in ${namespace}`)
      const other = pods.filter(pod => pod.status?.phase !== phase)
      if (other.length > 0) throw new Error(other.map(pod => `${nameOf(pod)} is ${pod.status?.phase}`).join(', '))
      return true
    },
  ),
}

async function inPhase({ label_selector, ns: namespace, phase }: z.output<typeof countPods>, context: MappedContext) {
  const { pods } = await listPods({ namespace, selector: label_selector }, await context.cluster())
  return pods.filter(pod => !phase || pod.status?.phase === phase)
}

const deploymentPath = (namespace: string, deployment: string) =>
  `/apis/apps/v1/namespaces/${namespace}/deployments/${deployment}`

const reasons = (pods: V1Pod[]) =>
  pods.map(pod => `${nameOf(pod)} ${whyUnfit(pod) ?? 'is fit'}`).join('; ') || 'there is none'

async function mustBeFree(namespace: string, cluster: Cluster): Promise<void> {
  // The client is large, and loaded only where it is used.
  const { whyProtected } = await import('../../targets/kubernetes/find-pods.ts')
  const why = await whyProtected(namespace, cluster)
  if (why) throw new Error(`the namespace ${namespace} ${why}`)
}

/** Known to the keeper, and undone at the end, before the cluster is touched. */
async function shakes(cluster: Cluster, what: Omit<ShakenResource, 'cluster'>, context: MappedContext): Promise<void> {
  const resource = { cluster: cluster.ref, ...what }
  await context.journal({ type: 'resource-shaking', ...resource })
  context.undoes(resource.name, async () => {
    const { restore } = await import('../../targets/kubernetes/restore.ts')
    const done = await restore(cluster, resource, context.clock)
    await context.journal({ type: 'resource-restored', path: resource.path })
    return done
  })
}
