import { execFile } from 'node:child_process'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { V1Deployment, V1Pod, V1PodList, V1StatefulSet } from '@kubernetes/client-node'
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest'
import { parse } from 'yaml'
import type { Journal, JournalEntry } from '../src/conduct/journal.ts'
import type { System } from '../src/experiment/model.ts'
import type { SuiteReport } from '../src/report/model.ts'
import { KubernetesInstance } from '../src/targets/kubernetes/kubernetes-instance.ts'
import { kubernetesTarget } from '../src/targets/kubernetes/kubernetes-target.ts'
import { readScale, writeScale } from '../src/targets/kubernetes/workloads.ts'
import type { Instance, InstanceEvent, Orchestrator } from '../src/targets/target.ts'
import { processWorld } from '../src/world.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'
import { type ControlPlane, startControlPlane } from './fixtures/kubernetes/control-plane.ts'
import { chaosMesh, istio } from './fixtures/kubernetes/crds.ts'
import { Duo, key } from './fixtures/kubernetes/duo.ts'
import { deployment, disruptionBudget, lonePod, namespace, statefulSet, volume } from './fixtures/kubernetes/objects.ts'
import { smallSystem } from './fixtures/small-system/system.ts'
import { describeTarget } from './target-contract.ts'

const never = new AbortController().signal
const within = { timeout: 60_000, interval: 100 }
const place = { file: 'system.yaml', line: 1, column: 1 }
const written: JournalEntry[] = []
const duo = new Duo('duo')
let plane: ControlPlane
let answering: Server

beforeAll(async () => {
  // What every pod answers: nothing runs in the pods that kwok plays, but a port-forward to one has to lead somewhere.
  answering = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
  await new Promise(done => answering.once('listening', done))
  const { port } = answering.address() as AddressInfo
  await duo.reserve('duo')
  const small = { namespace: 'small', ports: { 8080: port, 9464: port } }
  plane = await startControlPlane(['runner'], [small, ...duo.forwards])
  duo.start()
  await plane.apply(namespace('small'), deployment('front', 'small', 2), deployment('store', 'small', 1))
  await allReady('small', 3)
})
afterAll(async () => {
  await plane?.stop()
  await duo.stop()
  answering?.closeAllConnections()
  answering?.close()
})

const podsIn = async (name: string) =>
  (await plane.cluster.call<V1PodList>('GET', `/api/v1/namespaces/${name}/pods`)).items
const isFit = ({ metadata, status }: V1Pod) =>
  !metadata?.deletionTimestamp &&
  Boolean(status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
const countReady = async (name: string) => (await podsIn(name)).filter(isFit).length
const allReady = (name: string, count: number) =>
  vi.waitFor(async () => expect(await countReady(name)).toBe(count), within)

const journal: Journal = {
  runId: '20260101-000000-1-abcdef',
  dir: '/',
  append: async entry => void written.push(entry),
  close: async () => {},
}
const target = (user = 'admin') =>
  kubernetesTarget({ world: { ...processWorld(never), env: plane.envOf(user) }, journal })
const pods = (selector: string) => ({ selector, namespace: 'small', port: 8080, url: undefined })
const system = (front = 'app=front', store = 'app=store'): System => ({
  ...smallSystem(),
  services: [
    { name: 'front', local: undefined, kubernetes: pods(front), ready: '/readyz', place },
    { name: 'store', local: undefined, kubernetes: pods(store), ready: 'tcp', place },
  ],
})

const anywhere = { id: 'x', service: 'front', startMs: 0, durationMs: 1000, place }
const deploymentOf = (name: string, of = 'small') =>
  plane.cluster.call<V1Deployment>('GET', `/apis/apps/v1/namespaces/${of}/deployments/${name}`)
const scaleTo = (name: string, replicas: number) =>
  plane.kubectl(['-n', 'small', 'scale', 'deployment', name, `--replicas=${replicas}`])
/** A target that has found the small system, and is stopped when the test is over. */
async function started({ user = 'admin', of = system() } = {}) {
  const subject = target(user)
  written.length = 0
  await subject.start(of, never)
  onTestFinished(() => subject.stop())
  return { subject, faults: subject.orchestrator as Orchestrator }
}

describeTarget('kubernetes', async () => {
  const subject = target()
  return {
    target: subject,
    start: (signal = never) => subject.start(system(), signal),
    service: 'front',
    restartWithinMs: 60_000,
    answers: async instance => {
      const url = subject.urls('front')[subject.instances('front').indexOf(instance)] as string
      return fetch(url, { signal: AbortSignal.timeout(5000) }).then(
        ({ ok }) => ok,
        () => false,
      )
    },
    startsThem: false,
    freezes: false,
    countLeft: async () => 3 - (await countReady('small')),
  }
})

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

describe('the Role that is shipped', () => {
  const file = fileURLToPath(new URL('../docs/kubernetes-role.yaml', import.meta.url))
  const bind = () =>
    plane.kubectl(['-n', 'small', 'create', 'rolebinding', 'shaketable', '--role=shaketable', '--user=runner'])

  it('is all that a run needs', async () => {
    await plane.kubectl(['apply', '-n', 'small', '-f', file])
    await bind()
    const { subject, faults } = await started({ user: 'runner' })
    const [first, second] = subject.instances('front') as [Instance, Instance]
    await first.crash()
    await expect.poll(() => first.pid !== undefined, within).toBe(true)
    await second.terminate(1000)
    await expect.poll(() => second.pid !== undefined, within).toBe(true)
    await faults.evict(first)
    await expect.poll(() => first.pid !== undefined, within).toBe(true)
    await (await faults.rollingRestart('front')).undo()
    await (await faults.scaleToZero('front')).undo()
    await subject.stop()
    expect(await countReady('small')).toBe(3)
  })

  it('without one of its verbs refuses what needs it, by name and beforehand', async () => {
    await plane.kubectl(['-n', 'small', 'delete', 'role', 'shaketable'])
    const { rules } = parse(await readFile(file, 'utf8')) as { rules: { resources: string[]; verbs: string[] }[] }
    const without = (verb: string, resource: string) =>
      plane.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name: 'shaketable', namespace: 'small' },
        rules: rules
          .map(rule =>
            rule.resources.includes(resource) ? { ...rule, verbs: rule.verbs.filter(each => each !== verb) } : rule,
          )
          .filter(({ verbs }) => verbs.length > 0),
      })
    await without('delete', 'pods')
    const { subject } = await started({ user: 'runner' })
    expect(subject.refuses?.({ ...anywhere, kind: 'crash', instances: 1, everyMs: undefined })).toBe(
      'this user may not delete pods in small (docs/kubernetes.md has the Role)',
    )
    expect(subject.refuses?.({ ...anywhere, kind: 'evict', instances: 1 })).toBeUndefined()
    await expect(subject.instances('front')[0]?.crash()).rejects.toThrow('User "runner" cannot delete resource "pods"')

    await subject.stop()

    await without('create', 'pods/portforward')
    const unreached = { message: 'this user may not create pods/portforward in small; nothing was done', exitCode: 2 }
    await expect(target('runner').start(system(), never)).rejects.toMatchObject(unreached)
    await without('list', 'pods')
    await expect(target('runner').start(system(), never)).rejects.toMatchObject({
      code: 'SHAKETABLE_FORBIDDEN',
      exitCode: 2,
      message: expect.stringContaining('User "runner" cannot list resource "pods"'),
    })
  })
})

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

  const start = async (experiment: string, ...more: string[]) => {
    state = await freshState()
    const args = ['run', `experiments/${experiment}.yaml`, '--target', 'kubernetes', ...more]
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

  // No word of the verdict, which hangs on the machine too: one that sends the load late makes it void.
  it.for(['crashed-back', 'slow-back'])('%s: it hits, measures, and leaves all as it was', async name => {
    const { stdout, stderr } = await (await start(name, '--yes-this-is', 'duo', '--seed', '1', '--json')).finished
    expect(stdout, stderr).not.toBe('')
    const [experiment] = (JSON.parse(stdout) as SuiteReport).experiments
    expect(experiment?.faults[0]?.hit, stderr).toBeGreaterThan(0)
    expect(experiment?.faults[0]?.undoneMs).not.toBeNull()
    for (const { total } of experiment?.objectives ?? []) expect(total).toBeGreaterThan(0)
    expect(stderr + stdout).not.toContain(key)
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

describe('the page on Kubernetes', () => {
  it('has commands that work as they stand: the shop and the back end are made, and its experiments find their pods', async () => {
    const root = fileURLToPath(new URL('../..', import.meta.url))
    const page = await readFile(join(root, 'chaos/docs/kubernetes.md'), 'utf8')
    const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, body]) => body as string)
    expect(commands.length).toBeGreaterThan(2)
    // Disks for the claims of databases: no cloud makes any here.
    await plane.apply(volume('for-postgres', '1Gi'), volume('for-prometheus', '20Gi'))
    const env = { ...process.env, ...plane.envOf('admin'), PATH: `${plane.bin}:${process.env.PATH}` }
    const ran: string[] = []
    for (const command of commands) {
      const { stdout } = await promisify(execFile)('sh', ['-ec', command], { cwd: root, env })
      ran.push(stdout)
    }
    const seen = ran.join('')
    expect(seen).toContain(
      'system    shop (postgres, gateway, catalog, orders x2, inventory x2, payments, notifications, recommendations)',
    )
    expect(seen).toMatch(/hits orders-[12] \(pod orders-[01]\)\n/)
    for (const made of [
      'poddisruptionbudget.policy/orders',
      'deployment.apps/grafana',
      'role.rbac.authorization.k8s.io/shaketable',
    ]) {
      expect(seen).toContain(made)
    }
    const state = await freshState()
    const all = ['demo-services/experiments', '--target', 'kubernetes', '--dry-run']
    const dry = await new Shaketable(['run', ...all], { state: state.state, cwd: root, env: plane.envOf('admin') })
      .finished
    await state.remove()
    expect([dry.code, dry.stdout.match(/ hits /g)?.length], dry.stderr).toEqual([0, 4])
  })
})
