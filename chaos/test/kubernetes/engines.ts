import { describe, expect, it } from 'vitest'
import type { KubernetesInstance } from '../../src/targets/kubernetes/kubernetes-instance.ts'
import { chaosMesh, istio } from '../fixtures/kubernetes/crds.ts'
import { anywhere, journal, plane, started, within, written } from './cluster.ts'

describe('another engine', () => {
  const networkChaos = {
    ...anywhere,
    kind: 'chaosMesh' as const,
    instances: 1,
    resource: 'NetworkChaos',
    spec: { action: 'delay' },
  }
  const virtualService = {
    ...anywhere,
    kind: 'istio' as const,
    host: undefined,
    fault: { delay: { fixedDelay: '2s' } },
  }
  const listed = async <T>(path: string) => (await plane.cluster.call<{ items: T[] }>('GET', path)).items
  const chaosIn = '/apis/chaos-mesh.org/v1alpha1/namespaces/small/networkchaos'
  const routesIn = '/apis/networking.istio.io/v1/namespaces/small/virtualservices'

  it('that is not installed is not handed anything', async () => {
    const { subject } = await started()
    expect(subject.refuses?.(networkChaos)).toBe(
      'Chaos Mesh is not installed: the cluster serves no networkchaos.chaos-mesh.org',
    )
    expect(subject.refuses?.(virtualService)).toBe(
      'Istio is not installed: the cluster serves no virtualservices.networking.istio.io',
    )
    await plane.apply(...chaosMesh, ...istio)
    await expect
      .poll(
        () =>
          listed(chaosIn).then(
            () => true,
            () => false,
          ),
        within,
      )
      .toBe(true)
    await expect
      .poll(
        () =>
          listed(routesIn).then(
            () => true,
            () => false,
          ),
        within,
      )
      .toBe(true)
  })

  it('Chaos Mesh gets the pods that were chosen and the end of the lease, and its resource is gone at the end', async () => {
    const { subject, faults } = await started()
    expect(subject.refuses?.(networkChaos)).toBeUndefined()
    const [chosen] = subject.instances('front') as [KubernetesInstance]
    const spec = { action: 'delay', delay: { latency: '100ms' } }
    const order = {
      fault: 'slow net',
      service: 'front',
      engine: 'chaosMesh' as const,
      resource: 'NetworkChaos',
      spec,
      instances: [chosen],
      lastsMs: 13_000,
    }
    const handing = faults.handOver(order)
    await expect.poll(async () => (await listed(chaosIn)).length, within).toBe(1)
    const [made] = await listed<{ metadata: { name: string; labels: Record<string, string> }; spec: object }>(chaosIn)
    expect(made?.metadata.labels).toEqual({ 'shaketable.dev/run': journal.runId, 'shaketable.dev/fault': 'slow-net' })
    expect(made?.spec).toEqual({
      ...spec,
      mode: 'all',
      duration: '13000ms',
      selector: { pods: { small: [chosen.pod?.metadata?.name] } },
    })

    // What its controller would do: hold the resource until it has recovered, and tell what it has injected.
    const path = `${chaosIn}/${made?.metadata.name}`
    const merge = (patch: object) => plane.cluster.call('PATCH', path, patch, 'application/merge-patch+json')
    await merge({
      metadata: { finalizers: ['chaos-mesh/records'] },
      status: {
        conditions: [{ type: 'AllInjected', status: 'True' }],
        experiment: {
          desiredPhase: 'Run',
          containerRecords: [{ id: 'small/front', phase: 'Injected', selectorKey: '.' }],
        },
      },
    })
    const change = await handing
    expect(await change.hits()).toEqual({ seen: 1, hit: 1 })
    const undoing = change.undo()
    const gone = () =>
      plane.cluster.call('GET', path).then(
        () => false,
        ({ status }) => status === 404,
      )
    await expect
      .poll(
        async () =>
          (await plane.cluster.call<{ metadata: { deletionTimestamp?: string } }>('GET', path)).metadata
            .deletionTimestamp,
        within,
      )
      .toBeTruthy()
    expect(await gone()).toBe(false)
    await merge({ metadata: { finalizers: null } })
    await undoing
    expect(await gone()).toBe(true)
    expect(written.map(({ type }) => type)).toEqual(['resource-shaking', 'resource-restored'])
  })

  it('Istio gets a VirtualService of its own, never beside another one of the same host, and it is removed', async () => {
    const { faults } = await started()
    const spec = {
      hosts: ['front'],
      http: [{ fault: { delay: { fixedDelay: '2s' } }, route: [{ destination: { host: 'front' } }] }],
    }
    const order = {
      fault: 'mesh',
      service: 'front',
      engine: 'istio' as const,
      resource: 'VirtualService',
      spec,
      instances: [],
      lastsMs: 5000,
    }
    const change = await faults.handOver(order)
    const [made] = await listed<{ metadata: { name: string; annotations: Record<string, string> }; spec: object }>(
      routesIn,
    )
    expect(made?.spec).toEqual(spec)
    expect(Date.parse(made?.metadata.annotations['shaketable.dev/lease-ends'] ?? '')).toBeGreaterThan(0)
    await expect(faults.handOver({ ...order, fault: 'again' })).rejects.toThrow(
      `again: the VirtualService ${made?.metadata.name} routes front already`,
    )
    await change.undo()
    expect(await listed(routesIn)).toEqual([])
  })

  it('says why it refuses what it was handed, and nothing of it is left', async () => {
    const { faults } = await started()
    const order = {
      fault: 'wrong',
      service: 'front',
      engine: 'chaosMesh' as const,
      resource: 'NetworkChaos',
      spec: { action: 'explode' },
      instances: [],
      lastsMs: 5000,
    }
    await expect(faults.handOver(order)).rejects.toThrow(
      /the API server refuses: .*spec\.action: Unsupported value: "explode"/,
    )
    expect(await listed(chaosIn)).toEqual([])
  })
})
