import type { V1Pod } from '@kubernetes/client-node'
import { describe, expect, it } from 'vitest'
import type { System } from '../../src/experiment/model.ts'
import { KubernetesInstance } from '../../src/targets/kubernetes/kubernetes-instance.ts'
import { kubernetesTarget } from '../../src/targets/kubernetes/kubernetes-target.ts'
import type { Instance, InstanceEvent } from '../../src/targets/target.ts'
import { processWorld } from '../../src/world.ts'
import { disruptionBudget, lonePod, namespace, statefulSet } from '../fixtures/kubernetes/objects.ts'
import {
  allReady,
  isFit,
  journal,
  never,
  plane,
  pods,
  podsIn,
  started,
  system,
  target,
  within,
  written,
} from './cluster.ts'

describe('pods', () => {
  const refusal = (of: System, user = 'admin') =>
    target(user)
      .start(of, never)
      .then(String, error => error as Error)

  it('are refused where there is none, or none fit, or another service has the same ones', async () => {
    const none = await refusal(system('app=nobody'))
    expect(none).toMatchObject({
      exitCode: 2,
      message: 'system.yaml:1:1: there is no pod of the service front (app=nobody in small); nothing was done',
    })
    await plane.apply(
      lonePod('lone', 'small', { app: 'alone' }),
      lonePod('late', 'small', { app: 'alone', stays: 'pending' }),
    )
    await expect
      .poll(async () => (await podsIn('small')).filter(({ metadata }) => metadata?.name === 'lone').some(isFit), within)
      .toBe(true)
    expect((await refusal(system('app=alone'))) as Error).toMatchObject({
      message: expect.stringContaining(
        'late is Pending, not Running; lone has no controller, so nothing would replace it',
      ),
    })
    expect((await refusal(system('app=front', 'app in (front,store)'))) as Error).toMatchObject({
      message: expect.stringMatching(/the pod front-\S+ is found by the selectors of two services, front and store/),
    })
    await plane.kubectl(['-n', 'small', 'delete', 'pod', 'lone', 'late', '--grace-period=0', '--force'])
  })

  it('are refused in a namespace of the cluster itself, and in one that is labelled as protected', async () => {
    const there = (namespace: string): System => {
      const of = system()
      return {
        ...of,
        services: of.services.map(service => ({ ...service, kubernetes: { ...service.kubernetes!, namespace } })),
      }
    }
    expect((await refusal(there('kube-system'))) as Error).toMatchObject({
      exitCode: 2,
      message: expect.stringContaining('kube-system of the service front belongs to the cluster, and is never shaken'),
    })
    await plane.apply(namespace('precious', { 'shaketable.dev/protected': 'true' }))
    expect((await refusal(there('precious'))) as Error).toMatchObject({
      message: expect.stringContaining('is protected by its label'),
    })
  })

  it('are not looked for where no API server answers', async () => {
    const nowhere = kubernetesTarget({ world: { ...processWorld(never), env: { KUBECONFIG: '/nowhere' } }, journal })
    await expect(nowhere.start(system(), never)).rejects.toMatchObject({ code: 'SHAKETABLE_NO_CLUSTER', exitCode: 2 })
  })

  it('are deleted only while they are those that were chosen: another one of the same name lives', async () => {
    await plane.apply(statefulSet('named', 'small', 1))
    const found = async () => (await podsIn('small')).find(({ metadata }) => metadata?.name === 'named-0')
    await expect.poll(async () => isFit((await found()) ?? {}), within).toBe(true)
    const old = (await found()) as V1Pod
    const events: InstanceEvent[] = []
    const stale = new KubernetesInstance({
      id: 'named-1',
      of: { service: { ...system().services[0]!, name: 'named' }, kubernetes: pods('app=named'), namespace: 'small' },
      pod: old,
      cluster: plane.cluster,
      faultKey: undefined,
      clock: processWorld(never).clock,
      emit: event => void events.push(event),
      shaking: async () => {},
    })
    await plane.kubectl(['-n', 'small', 'delete', 'pod', 'named-0', '--grace-period=0', '--force'])
    await expect
      .poll(async () => isFit((await found()) ?? {}) && (await found())?.metadata?.uid !== old.metadata?.uid, within)
      .toBe(true)
    const another = (await found())?.metadata?.uid
    for (const blow of [() => stale.crash(), () => stale.terminate(1000), () => stale.evict()]) {
      await expect(blow()).rejects.toThrow('named-1 (pod named-0) was replaced before it could be hit')
    }
    const { uid, deletionTimestamp } = (await found())?.metadata ?? {}
    expect([uid, deletionTimestamp]).toEqual([another, undefined])
    await plane.kubectl(['-n', 'small', 'delete', 'statefulset', 'named'])
    await allReady('small', 3)
  })

  it('are written down before they are deleted, and again once as many are Ready', async () => {
    const { subject } = await started()
    await subject.instances('front')[0]?.crash()
    expect(written).toEqual([
      {
        type: 'resource-shaking',
        cluster: {
          kubeconfig: plane.envOf('admin').KUBECONFIG,
          context: 'test',
          server: expect.stringMatching(/^https:/),
        },
        path: '/api/v1/namespaces/small/pods?labelSelector=app=front',
        name: 'front (app=front in small)',
        undo: { kind: 'replaced', namespace: 'small', selector: 'app=front', ready: 2 },
      },
    ])
    await subject.stop()
    expect(written.at(-1)).toEqual({
      type: 'resource-restored',
      path: '/api/v1/namespaces/small/pods?labelSelector=app=front',
    })
  })

  it('are evicted, unless their disruption budget forbids it, which is an outcome of its own', async () => {
    const { subject, faults } = await started()
    const [first] = subject.instances('front') as [Instance]
    const before = first.pid
    await plane.apply(disruptionBudget('front', 'small', 2))
    const budget = '/apis/policy/v1/namespaces/small/poddisruptionbudgets/front'
    await expect
      .poll(
        async () =>
          (await plane.cluster.call<{ status?: { currentHealthy?: number } }>('GET', budget)).status?.currentHealthy,
        within,
      )
      .toBe(2)
    await expect(faults.evict(first)).rejects.toMatchObject({
      code: 'SHAKETABLE_BLOCKED_BY_PDB',
      message: expect.stringMatching(/^front-1 \(pod front-\S+\) is not evicted: blocked by its PodDisruptionBudget: /),
    })
    expect(first.pid).toBe(before)
    await plane.kubectl(['-n', 'small', 'delete', 'pdb', 'front'])
    await faults.evict(first)
    await expect.poll(() => first.pid !== undefined && first.pid !== before, within).toBe(true)
  })
})
