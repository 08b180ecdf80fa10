import { describe, expect, it } from 'vitest'
import type { JournalEntry } from '../../conduct/journal.ts'
import type { Cluster } from '../../targets/kubernetes/cluster.ts'
import { systemClock } from '../../world.ts'
import { kubernetesFunctions } from './kubernetes.ts'

const pod = (name: string, more: object = {}) => ({
  metadata: { name, uid: `uid-${name}`, ownerReferences: [{ controller: true }] },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
  ...more,
})

/** A cluster of three pods and a deployment, which replaces what is deleted at once. */
function cluster(protectedNamespace = false) {
  const calls: string[] = []
  const scale = { metadata: { uid: 'u1', resourceVersion: '1' }, spec: { replicas: 3 } }
  const pods = [pod('web-1'), pod('web-2'), pod('web-3', { status: { phase: 'Pending' } })]
  const call = async (method: string, path: string, body?: unknown) => {
    if (method !== 'GET') calls.push(`${method} ${path} ${JSON.stringify(body)}`)
    if (path.endsWith('/scale') && method !== 'GET') scale.spec.replicas = (body as typeof scale).spec.replicas
    if (path.endsWith('/scale')) return structuredClone(scale)
    if (path.endsWith('/namespaces/shop')) {
      return { metadata: { labels: protectedNamespace ? { 'shaketable.dev/protected': 'true' } : {} } }
    }
    if (path.includes('/deployments/')) return { spec: { replicas: 3 }, status: { availableReplicas: 2 } }
    return { items: path.includes('pods') ? pods : [], metadata: {} }
  }
  return { calls, made: { ref: { inCluster: true }, name: 'test', call } as unknown as Cluster }
}

async function run(name: string, given: object, of = cluster()) {
  const known = kubernetesFunctions[`chaosk8s.${name}`]!
  const read = known.arguments.parse(given) as Record<string, unknown>
  const entries: JournalEntry[] = []
  const undoings: (() => Promise<string>)[] = []
  const result = await known.run(read, {
    configuration: {},
    clock: systemClock,
    signal: new AbortController().signal,
    seed: 1,
    journal: async entry => {
      // On disk before anything is done.
      if (entry.type.endsWith('shaking')) expect(of.calls).toEqual([])
      entries.push(entry)
    },
    undoes: (_, undo) => undoings.push(undo),
    cluster: async () => of.made,
  })
  return { result, calls: of.calls, entries, undoings }
}

describe('chaosk8s', () => {
  it('terminates pods that are fit for it, each by its uid, and waits for others in their place', async () => {
    const { result, calls, entries, undoings } = await run('pod.actions.terminate_pods', {
      label_selector: 'app=web',
      ns: 'shop',
      qty: 50,
      mode: 'percentage',
      grace_period: 0,
    })
    expect(result).toEqual(['web-1'])
    expect(calls).toEqual([
      'DELETE /api/v1/namespaces/shop/pods/web-1 {"apiVersion":"v1","kind":"DeleteOptions","preconditions":{"uid":"uid-web-1"},"gracePeriodSeconds":0}',
    ])
    expect(entries).toMatchObject([
      { type: 'resource-shaking', undo: { kind: 'replaced', selector: 'app=web', ready: 2 } },
    ])
    await undoings[0]!()
    expect(entries.at(-1)).toMatchObject({ type: 'resource-restored' })
  })

  it('hits nothing where fewer pods are fit than are asked for', async () => {
    const of = cluster()
    const asked = run('pod.actions.terminate_pods', { label_selector: 'app=web', ns: 'shop', qty: 3 }, of)
    await expect(asked).rejects.toThrow(
      '3 pods of app=web in shop are to be hit, and only 2 are fit: web-1 is fit; web-2 is fit; web-3 is Pending, not Running',
    )
    expect(of.calls).toEqual([])
  })

  it('leaves a protected namespace alone', async () => {
    const of = cluster(true)
    const asked = run('deployment.actions.scale_deployment', { name: 'web', replicas: 0, ns: 'shop' }, of)
    await expect(asked).rejects.toThrow('the namespace shop is protected by its label shaketable.dev/protected')
    expect(of.calls).toEqual([])
  })

  it('scales a deployment, with what it had before on record', async () => {
    const { result, entries, calls } = await run('deployment.actions.scale_deployment', {
      name: 'web',
      replicas: 0,
      ns: 'shop',
    })
    expect(result).toEqual({ from: 3, to: 0 })
    expect(entries).toMatchObject([{ undo: { kind: 'scaled', uid: 'u1', from: 3, to: 0 } }])
    expect(calls).toHaveLength(1)
  })

  it('counts pods, and looks whether a deployment is whole', async () => {
    const counted = await run('pod.probes.count_pods', { label_selector: 'app=web', ns: 'shop', phase: 'Running' })
    expect(counted.result).toBe(2)
    await expect(run('pod.probes.pods_in_phase', { label_selector: 'app=web', ns: 'shop' })).rejects.toThrow(
      'web-3 is Pending',
    )
    const whole = run('deployment.probes.deployment_available_and_healthy', { name: 'web', ns: 'shop' })
    await expect(whole).rejects.toThrow('deployment web in shop has 2 of 3 replicas available')
  })
})
