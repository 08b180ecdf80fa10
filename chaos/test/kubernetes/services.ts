import { describe, expect, it } from 'vitest'
import { readScale, writeScale } from '../../src/targets/kubernetes/workloads.ts'
import {
  allReady,
  countReady,
  deploymentOf,
  isFit,
  plane,
  podsIn,
  scaleTo,
  started,
  within,
  written,
} from './cluster.ts'

describe('a service', () => {
  it('is scaled to zero, and to what it had', async () => {
    const { subject, faults } = await started()
    const change = await faults.scaleToZero('front')
    expect((await deploymentOf('front')).spec?.replicas).toBe(0)
    expect(subject.instances('front').map(({ pid }) => pid)).toEqual([undefined, undefined])
    expect(await change.hits()).toEqual({ seen: 2, hit: 2 })
    await expect(faults.scaleToZero('front')).rejects.toMatchObject({ code: 'SHAKETABLE_NOTHING_TO_HIT' })
    await change.undo()
    expect((await deploymentOf('front')).spec?.replicas).toBe(2)
    await subject.stop()
    expect(await countReady('small')).toBe(3)
    expect(written.map(({ type }) => type)).toEqual(['resource-shaking', 'resource-restored'])
  })

  it('that somebody else scales in mid-fault keeps their count', async () => {
    const { faults } = await started()
    const change = await faults.scaleToZero('front')
    await scaleTo('front', 1)
    await change.undo()
    expect((await deploymentOf('front')).spec?.replicas).toBe(1)
    await scaleTo('front', 2)
    await allReady('small', 3)
  })

  it('that somebody else writes to at the same moment is read again, and then written', async () => {
    const workload = { path: '/apis/apps/v1/namespaces/small/deployments/front', name: 'deployment front' }
    const old = await readScale(workload, plane.cluster)
    await plane.kubectl(['-n', 'small', 'annotate', '--overwrite', 'deployment', 'front', 'by=another'])
    expect(await writeScale(workload, old, 0, plane.cluster)).toBe(false)
    expect((await deploymentOf('front')).spec?.replicas).toBe(2)
  })

  it('is restarted one pod after the other, and waited for', async () => {
    const { subject, faults } = await started()
    const names = async () => (await podsIn('small')).filter(isFit).map(({ metadata }) => metadata?.name)
    const before = await names()
    const change = await faults.rollingRestart('front')
    await change.undo()
    const after = await names()
    expect(after.filter(name => before.includes(name))).toEqual(before.filter(name => name?.startsWith('store')))
    await expect.poll(() => change.hits(), within).toEqual({ seen: 2, hit: 2 })
    await subject.stop()
  })
})
