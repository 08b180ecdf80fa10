import { fileURLToPath } from 'node:url'
import { describe, expect, it, onTestFinished } from 'vitest'
import { leasePath } from '../../src/targets/kubernetes/cluster-keeper.ts'
import { kubernetesTarget } from '../../src/targets/kubernetes/kubernetes-target.ts'
import type { Orchestrator } from '../../src/targets/target.ts'
import { processWorld } from '../../src/world.ts'
import { freshState, Shaketable } from '../cli.ts'
import { allReady, deploymentOf, journal, never, plane, system, within, written } from './cluster.ts'

/** No container runs here: what the Job's pod would run is run by the test, with the rights of its service account. */
describe('the keeper in the cluster', () => {
  const name = `shaketable-${journal.runId}`
  const jobs = '/apis/batch/v1/namespaces/small/jobs'
  const docs = (file: string) => fileURLToPath(new URL(`../../docs/${file}`, import.meta.url))
  interface Job {
    metadata: { ownerReferences: object[] }
    spec: { template: { spec: { serviceAccountName: string; containers: { image: string; command: string[] }[] } } }
  }
  const job = () => plane.cluster.call<Job>('GET', `${jobs}/${name}`)
  const lease = () =>
    plane.cluster.call<{ metadata: { uid: string; annotations: Record<string, string> }; spec: { renewTime: string } }>(
      'GET',
      leasePath('small', name),
    )
  const gone = (ask: () => Promise<unknown>) =>
    expect.poll(() => ask().then(String, ({ status }) => status), within).toBe(404)
  const kept = async () => {
    const subject = kubernetesTarget({
      world: { ...processWorld(never), env: plane.envOf('admin') },
      journal,
      keeper: { image: 'registry.test/shaketable:1', serviceAccount: 'shaketable-keeper' },
    })
    written.length = 0
    await subject.start(system(), never)
    onTestFinished(() => subject.stop())
    return { subject, faults: subject.orchestrator as Orchestrator }
  }

  it('is a Job that the lease of the run owns, knows each change before it is made, and is removed with it', async () => {
    await plane.kubectl(['apply', '-n', 'small', '-f', docs('kubernetes-keeper.yaml')])
    const { subject, faults } = await kept()
    const { metadata, spec } = await job()
    const { metadata: ofLease } = await lease()
    expect(metadata.ownerReferences).toMatchObject([{ kind: 'Lease', name, uid: ofLease.uid }])
    const { serviceAccountName, containers } = spec.template.spec
    expect(serviceAccountName).toBe('shaketable-keeper')
    expect(containers).toMatchObject([
      {
        image: 'registry.test/shaketable:1',
        command: ['shaketable', 'keep', '--namespace', 'small', '--lease', name],
      },
    ])
    expect(ofLease.annotations).toEqual({ 'shaketable.dev/undo': '[]' })

    const change = await faults.scaleToZero('front')
    const told = JSON.parse((await lease()).metadata.annotations['shaketable.dev/undo'] ?? '')
    expect(told).toMatchObject([{ path: expect.stringContaining('/deployments/front'), undo: { from: 2, to: 0 } }])
    await change.undo()
    await subject.stop()
    await gone(job)
    await gone(lease)
    expect(written.map(({ type }) => type)).toEqual([
      ...['resource-shaking', 'resource-shaking', 'resource-shaking'],
      ...['resource-restored', 'resource-restored', 'resource-restored'],
    ])
  })

  it('undoes what stands on a lease that nobody renews, by the rights of its Role alone, and the lease goes', async () => {
    const { faults } = await kept()
    await faults.scaleToZero('front')
    // The machine of the runner is gone: nobody renews it. The lease is as short as can be.
    const merge = 'application/merge-patch+json'
    await plane.cluster.call('PATCH', leasePath('small', name), { spec: { leaseDurationSeconds: 1 } }, merge)
    await plane.kubectl([
      ...['-n', 'small', 'create', 'rolebinding', 'kept', '--role=shaketable-keeper', '--user=keeper'],
    ])
    const { containers } = (await job()).spec.template.spec
    const [, ...command] = containers[0]?.command ?? []
    const { state, remove } = await freshState()
    onTestFinished(remove)
    const { code, stdout, stderr } = await new Shaketable(command, { state, cwd: state, env: plane.envOf('keeper') })
      .finished
    expect(stdout, stderr).toMatch(/^scaled to 2 replicas again front \(deployment front in small\)\n$/)
    expect(code).toBe(0)
    expect((await deploymentOf('front')).spec?.replicas).toBe(2)
    await allReady('small', 3)
    await gone(lease)
    // Its owner is gone, and the controller manager removes it.
    await gone(job)
    const again = await new Shaketable(command, { state, cwd: state, env: plane.envOf('keeper') }).finished
    expect([again.code, again.stdout]).toEqual([0, 'released: the run has undone everything itself\n'])
  })
})
