/** Fault control that leaves loopback: over TLS, by an authority of our own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces, tmpdir } from 'node:os'
import { join } from 'node:path'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { type ArmRequest, authorizationOf } from '@shaketable/sdk/faults'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { certify } from '../../.ci/tools/certificates.ts'
import type { FaultSpec } from '../src/experiment/model.ts'
import { FaultControl } from '../src/faults/fault-control.ts'
import { whyRefused } from '../src/faults/index.ts'
import type { Instance, Target } from '../src/targets/target.ts'
import { systemClock } from '../src/world.ts'
import { fixture } from './cli.ts'

const key = 'a-key-of-the-test-alone'
/** Of this machine, but as others see it; a machine without a network has none. */
const address =
  Object.values(networkInterfaces())
    .flatMap(each => each ?? [])
    .find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'
const authority = certify('the authority of the test')
const trusted = getCACertificates('default')
const request: ArmRequest = {
  effect: { kind: 'reset' },
  match: { direction: 'inbound' },
  percent: 100,
  scope: 'request',
  seed: 1,
  leaseMs: 60_000,
}
let folder: string
let service: ChildProcess
let url: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shaketable-fault-tls-'))
  const { cert, key: privateKey } = certify('back', authority, address)
  await writeFile(join(folder, 'back.pem'), cert)
  await writeFile(join(folder, 'back.key'), privateKey)
  service = spawn(process.execPath, ['--import', '@shaketable/sdk/register', 'back.mjs'], {
    cwd: fixture('duo'),
    stdio: ['ignore', 'ignore', 'pipe'],
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: '0',
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_EXPORTER_PROMETHEUS_PORT: '0',
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_FAULTS_HOST: '0.0.0.0',
      SHAKETABLE_FAULTS_PORT: '0',
      SHAKETABLE_FAULTS_KEY: key,
      SHAKETABLE_FAULTS_CERTIFICATE: join(folder, 'back.pem'),
      SHAKETABLE_FAULTS_PRIVATE_KEY: join(folder, 'back.key'),
    },
  })
  let said = ''
  const port = await new Promise<string | undefined>(resolve => {
    service.once('exit', () => resolve(undefined))
    service.stderr?.on('data', chunk => {
      said += chunk
      const [, found] = /fault control is on https:\/\/0\.0\.0\.0:(\d+)/.exec(said) ?? []
      if (found) resolve(found)
    })
  })
  expect(port, said).toBeDefined()
  url = `https://${address}:${port}`
})
afterAll(async () => {
  setDefaultCACertificates(trusted)
  service.kill('SIGKILL')
  if (service.exitCode === null && service.signalCode === null) await once(service, 'exit')
  await rm(folder, { recursive: true, force: true })
})

const instanceAt = (at: string, faultKey = key) =>
  ({ id: 'back-1', service: 'back', pid: 1, faultControl: { url: at, key: faultKey } }) as Instance
const arms = (at: string, faultKey?: string) =>
  new FaultControl(instanceAt(at, faultKey), 60_000, systemClock).arm('f', request)

test('an authority that is not ours is refused, and the words say how ours would be trusted', async () => {
  await expect(arms(url)).rejects.toMatchObject({
    message: expect.stringMatching(/^fault control of back-1 cannot be called at https:.*(certificate|issuer)/),
    hint: expect.stringContaining('NODE_EXTRA_CA_CERTS'),
  })
  setDefaultCACertificates([...trusted, certify('the authority of somebody else').cert])
  await expect(arms(url)).rejects.toThrow(/certificate|issuer/)
})

test('plain HTTP gets no answer from it, and is not even tried beyond this machine', async () => {
  await expect(arms(url.replace('https', 'http'))).rejects.toThrow('fault control of back-1 cannot be called at http:')
  const target = (at: string) => ({ instances: () => [instanceAt(at)] }) as unknown as Target
  const spec = { kind: 'reset', id: 'f', service: 'back', percent: 100 } as FaultSpec
  expect(whyRefused(spec, target('http://192.0.2.1:9465'))).toMatch(
    /^fault control of back-1 would be called beyond this machine without TLS/,
  )
  expect(whyRefused(spec, target('https://192.0.2.1:9465'))).toBeUndefined()
})

test('ours is trusted: a fault is armed and disarmed, by the key alone, and no call counts twice', async () => {
  setDefaultCACertificates([...trusted, authority.cert])
  await expect(arms(url, 'another-key-of-the-test')).rejects.toMatchObject({
    message: expect.stringContaining('status 401'),
  })
  const control = new FaultControl(instanceAt(url), 60_000, systemClock)
  await control.arm('f', request)
  expect(await control.armed()).toMatchObject([{ id: 'f' }])
  await control.disarm('f')
  expect(await control.armed()).toEqual([])

  // Whoever could read it and sends it again arms nothing.
  const body = JSON.stringify(request)
  const authorization = authorizationOf({ method: 'PUT', path: '/faults/f', body }, key, Date.now())
  const put = () => fetch(`${url}/faults/f`, { method: 'PUT', headers: { authorization }, body })
  expect((await put()).status).toBe(200)
  await control.disarm('f').catch(() => {})
  expect((await put()).status).toBe(401)
})
