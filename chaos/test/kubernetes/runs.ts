import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { V1StatefulSet } from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest'
import { kubernetesTarget } from '../../src/targets/kubernetes/kubernetes-target.ts'
import { processWorld } from '../../src/world.ts'
import { fixture, freshState, processesWith, Shaketable } from '../cli.ts'
import { key } from '../fixtures/kubernetes/duo.ts'
import { namespace } from '../fixtures/kubernetes/objects.ts'
import { smallSystem } from '../fixtures/small-system/system.ts'
import { hitAndUndone } from '../outcome.ts'
import { allReady, anywhere, duo, journal, never, place, plane, pods, within } from './cluster.ts'

describe('a run on pods', () => {
  const clearing: (() => Promise<void>)[] = []
  let cwd: string
  let state: Awaited<ReturnType<typeof freshState>>

  beforeAll(async () => {
    await plane.apply(namespace('duo'), ...duo.objects)
    await allReady('duo', 3)
    cwd = await mkdtemp(join(tmpdir(), 'shaketable-pods-'))
    for (const folder of ['experiments', 'objectives']) {
      await cp(join(fixture('duo'), folder), join(cwd, folder), { recursive: true })
    }
    await writeFile(
      join(cwd, 'system.yaml'),
      `apiVersion: shaketable.dev/v1alpha1
kind: System
metadata: { name: duo }
spec:
  services:
    - name: front
      kubernetes: { selector: app=front, namespace: duo }
    - name: back
      kubernetes: { selector: app=back, namespace: duo }
  journeys:
    - name: look
      steps:
        - { request: { method: GET, to: front, path: /product/A1 }, expect: { status: 200 } }
`,
    )
    // A port-forward is a long way for a request: few of them, and no objective on how long each takes.
    for (const name of ['crashed-back', 'slow-back', 'frozen-back']) {
      const file = join(cwd, 'experiments', `${name}.yaml`)
      const patient = (await readFile(file, 'utf8'))
        .replace('rate: 100/s', 'rate: 20/s')
        .replaceAll(/, (?:\.\.\/objectives\/)?look-latency(?:\.yaml)?/g, '')
        .replace('atLeast: 95%', 'atLeast: 80%')
      await writeFile(file, patient)
      // To be killed in mid-fault, with time to look: nothing but the kill ends it.
      const scaled = patient
        .replace('fault: 2s', 'fault: 5m')
        .replace(/crash: .*/, 'scaleToZero: { service: back }')
        .replace('name: crashed', 'name: scaled')
      if (name === 'crashed-back') await writeFile(join(cwd, 'experiments', 'scaled-back.yaml'), scaled)
    }
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))
  afterEach(async () => {
    for (const clear of clearing.splice(0)) await clear()
    await allReady('duo', 3)
  })

  const start = async (experiments: string, ...more: string[]) => {
    state = await freshState()
    const files = experiments.split(' ').map(name => `experiments/${name}.yaml`)
    const args = ['run', ...files, '--target', 'kubernetes', ...more]
    const env = { ...plane.envOf('admin'), SHAKETABLE_FAULTS_KEY: key }
    const run = new Shaketable(args, { state: state.state, cwd, env })
    const { remove } = state
    clearing.push(async () => {
      run.child.kill('SIGKILL')
      await run.finished
      for (const pid of await processesWith(state.state)) process.kill(pid, 'SIGKILL')
      await remove()
    })
    return run
  }
  // It finds the cluster by the journal, not by its environment.
  const sweep = () => new Shaketable(['sweep'], { state: state.state, cwd, env: { KUBECONFIG: '/nowhere' } }).finished
  const replicas = async () =>
    (await plane.cluster.call<V1StatefulSet>('GET', '/apis/apps/v1/namespaces/duo/statefulsets/back')).spec?.replicas

  it('reaches each pod by all of its ports, through the API server', async () => {
    const of = (name: string) => ({
      name,
      local: undefined,
      kubernetes: { ...pods(`app=${name}`), namespace: 'duo', port: undefined },
      ready: '/readyz',
      place,
    })
    const world = { ...processWorld(never), env: { ...plane.envOf('admin'), SHAKETABLE_FAULTS_KEY: key } }
    const subject = kubernetesTarget({ world, journal })
    await subject.start({ ...smallSystem(), services: [of('front'), of('back')] }, never)
    onTestFinished(() => subject.stop())
    const text = async (url: string | undefined) => (await fetch(url ?? '')).text()
    expect(JSON.parse(await text(`${subject.urls('front')[0]}/product/A1`))).toHaveProperty('cents')
    for (const { adminUrl, faultControl } of subject.instances('back')) {
      expect(await text(`${adminUrl}/metrics`)).toContain('process_start_time_seconds')
      expect(await text(`${faultControl?.url}/faults`)).toContain('authorization')
    }
    expect(
      subject.refuses?.({
        ...anywhere,
        kind: 'hang',
        percent: 100,
        scope: 'request',
        method: undefined,
        path: undefined,
        from: undefined,
      }),
    ).toMatch(/^front-1 \(pod front-0\) offers no fault control: it needs SHAKETABLE_FAULTS=on/)
  })

  it('wants the name of the system, and does nothing without it', async () => {
    const { code, stderr } = await (await start('crashed-back')).finished
    expect([code, stderr]).toEqual([2, expect.stringContaining('--yes-this-is duo')])
    expect(await state.runs()).toEqual([])
  })

  it('shows beforehand, and without the name, which pods it would hit', async () => {
    const { stdout, stderr } = await (await start('crashed-back', '--dry-run', '--seed', '1')).finished
    expect(stdout, stderr).toMatch(/ {2}system {4}duo \(front, back x2\)\n/)
    expect(stdout).toMatch(/ hits back-[12] \(pod back-[01]\)\n/)
  })

  it('refuses what cannot be done to a pod', async () => {
    const { code, stderr } = await (await start('frozen-back', '--yes-this-is', 'duo')).finished
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/frozen-back\.yaml:\d+:\d+: freeze-back cannot be injected: the first process/),
    ])
  })

  // Fault control has two seconds for an answer, and a busy machine's port-forward may take longer: the run then ends, void.
  it('hits, measures, and leaves all as it was', { retry: 1 }, async () => {
    const finished = await (await start('crashed-back slow-back', '--yes-this-is', 'duo', '--seed', '1', '--json'))
      .finished
    hitAndUndone(finished, ['crashed-back', 'slow-back'])
    expect(finished.stderr + finished.stdout).not.toContain(key)
    expect(await state.runs()).toEqual([])
  })

  it('killed (SIGKILL) in mid-fault, its keeper gives the service its pods again', async () => {
    const run = await start('scaled-back', '--yes-this-is', 'duo')
    await run.says(/fault armed: scale back to zero/)
    expect(await replicas()).toBe(0)
    run.child.kill('SIGKILL')
    await expect.poll(replicas, within).toBe(2)
    await expect.poll(() => processesWith(state.state), within).toEqual([])
    expect((await sweep()).stdout).toBe('clean: no run left anything behind\n')
  })

  it('that lost its runner and its keeper is undone by a sweep, which finds the cluster by itself', async () => {
    const run = await start('scaled-back', '--yes-this-is', 'duo')
    await run.says(/fault armed: scale back to zero/)
    for (const pid of await processesWith(state.state)) process.kill(pid, 'SIGKILL')
    await run.finished
    expect(await replicas()).toBe(0)
    const { code, stdout } = await sweep()
    expect(stdout).toContain('scaled to 2 replicas again back (statefulset back in duo)\n')
    expect([code, await replicas(), await state.runs()]).toEqual([0, 2, []])
  })
})
