/** The cluster of the tests in this folder, with a small system in it, and what they have in common. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { V1Deployment, V1Pod, V1PodList } from '@kubernetes/client-node'
import { expect, onTestFinished, vi } from 'vitest'
import type { Journal, JournalEntry } from '../../src/conduct/journal.ts'
import type { System } from '../../src/experiment/model.ts'
import { kubernetesTarget } from '../../src/targets/kubernetes/kubernetes-target.ts'
import type { Orchestrator } from '../../src/targets/target.ts'
import { processWorld } from '../../src/world.ts'
import { type ControlPlane, startControlPlane } from '../fixtures/kubernetes/control-plane.ts'
import { Duo } from '../fixtures/kubernetes/duo.ts'
import { deployment, namespace } from '../fixtures/kubernetes/objects.ts'
import { smallSystem } from '../fixtures/small-system/system.ts'

export const never = new AbortController().signal
export const within = { timeout: 60_000, interval: 100 }
export const place = { file: 'system.yaml', line: 1, column: 1 }
export const written: JournalEntry[] = []
export const duo = new Duo('duo')
export let plane: ControlPlane
let answering: Server

/** Once for all that stands in this folder: it takes ten seconds and more. */
export async function startCluster(): Promise<void> {
  // What every pod answers: nothing runs in the pods that kwok plays, but a port-forward to one has to lead somewhere.
  answering = createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1')
  await new Promise(done => answering.once('listening', done))
  const { port } = answering.address() as AddressInfo
  await duo.reserve('duo')
  const small = { namespace: 'small', ports: { 8080: port, 9464: port } }
  plane = await startControlPlane(['runner', 'keeper'], [small, ...duo.forwards])
  duo.start()
  await plane.apply(namespace('small'), deployment('front', 'small', 2), deployment('store', 'small', 1))
  await allReady('small', 3)
}
export async function stopCluster(): Promise<void> {
  await plane?.stop()
  await duo.stop()
  answering?.closeAllConnections()
  answering?.close()
}

export const podsIn = async (name: string) =>
  (await plane.cluster.call<V1PodList>('GET', `/api/v1/namespaces/${name}/pods`)).items
export const isFit = ({ metadata, status }: V1Pod) =>
  !metadata?.deletionTimestamp &&
  Boolean(status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True'))
export const countReady = async (name: string) => (await podsIn(name)).filter(isFit).length
export const allReady = (name: string, count: number) =>
  vi.waitFor(async () => expect(await countReady(name)).toBe(count), within)

export const journal: Journal = {
  runId: '20260101-000000-1-abcdef',
  dir: '/',
  append: async entry => void written.push(entry),
  close: async () => {},
}
export const target = (user = 'admin') =>
  kubernetesTarget({ world: { ...processWorld(never), env: plane.envOf(user) }, journal })
export const pods = (selector: string) => ({ selector, namespace: 'small', port: 8080, url: undefined })
export const system = (front = 'app=front', store = 'app=store'): System => ({
  ...smallSystem(),
  services: [
    { name: 'front', local: undefined, kubernetes: pods(front), ready: '/readyz', place },
    { name: 'store', local: undefined, kubernetes: pods(store), ready: 'tcp', place },
  ],
})

export const anywhere = { id: 'x', service: 'front', startMs: 0, durationMs: 1000, place }
export const deploymentOf = (name: string, of = 'small') =>
  plane.cluster.call<V1Deployment>('GET', `/apis/apps/v1/namespaces/${of}/deployments/${name}`)
export const scaleTo = (name: string, replicas: number) =>
  plane.kubectl(['-n', 'small', 'scale', 'deployment', name, `--replicas=${replicas}`])
/** A target that has found the small system, and is stopped when the test is over. */
export async function started({ user = 'admin', of = system() } = {}) {
  const subject = target(user)
  written.length = 0
  await subject.start(of, never)
  onTestFinished(() => subject.stop())
  return { subject, faults: subject.orchestrator as Orchestrator }
}
