import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { goProgram } from '../../.ci/tools/go.ts'
import { FaultControl } from '../src/faults/fault-control.ts'
import type { SuiteReport } from '../src/report/model.ts'
import { Ports } from '../src/targets/local/ports.ts'
import { isReady } from '../src/targets/local/ready.ts'
import type { Instance } from '../src/targets/target.ts'
import { systemClock } from '../src/world.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'

const key = 'a-key-of-the-attached-services'
const within = { timeout: 30_000, interval: 50 }
const ports = new Ports()
const services: ChildProcess[] = []
let cwd: string
let back: FaultControl
let state: Awaited<ReturnType<typeof freshState>>
const runs: Shaketable[] = []

/** Started as anybody would start it: the runner knows nothing of it but what stands in the file. */
async function serve(name: string, env: Record<string, string> = {}) {
  const [port, admin, faults] = [await ports.reserve(), await ports.reserve(), await ports.reserve()]
  const child = spawn(process.execPath, ['--import', '@shaketable/sdk/register', `${name}.mjs`], {
    cwd: fixture('duo'),
    env: {
      ...process.env,
      HOST: '127.0.0.1',
      PORT: String(port),
      OTEL_SERVICE_NAME: name,
      OTEL_TRACES_EXPORTER: 'none',
      OTEL_EXPORTER_PROMETHEUS_PORT: String(admin),
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_FAULTS_PORT: String(faults),
      SHAKETABLE_FAULTS_KEY: key,
      ...env,
    },
    stdio: 'ignore',
  })
  services.push(child)
  const at = (where: number) => `http://127.0.0.1:${where}`
  while (!(await isReady({ url: `${at(admin)}/readyz` }))) await sleep(50)
  return { url: at(port), admin: at(admin), faults: at(faults) }
}

async function describeSystem(at: { front: object; back: object }, metadata = 'name: duo'): Promise<void> {
  const text = `apiVersion: shaketable.dev/v1alpha1
kind: System
metadata: { ${metadata} }
spec:
  services:
    - name: front
      attach: [${JSON.stringify(at.front)}]
    - name: back
      attach: [${JSON.stringify(at.back)}]
  journeys:
    - name: look
      steps:
        - { request: { method: GET, to: front, path: /product/A1 }, expect: { status: 200 } }
`
  await writeFile(join(cwd, 'system.yaml'), text)
}

/** A real one, with what the docs say for sending to a runner that listens; where it sends besides is away. */
async function startCollector(listen: string): Promise<string> {
  const page = await readFile(new URL('../docs/targets.md', import.meta.url), 'utf8')
  const shown = /```yaml\n(exporters:\n[\s\S]*?)```/.exec(page)![1]!
  const { exporters, service } = parse(shown.replace('runner.example:4318', listen))
  const endpoint = `127.0.0.1:${await ports.reserve()}`
  const config = {
    receivers: { otlp: { protocols: { http: { endpoint } } } },
    exporters: { otlp_http: { endpoint: 'http://127.0.0.1:1' }, ...exporters },
    service: {
      telemetry: { metrics: { level: 'none' } },
      pipelines: { traces: { receivers: ['otlp'], ...service.pipelines.traces } },
    },
  }
  const file = join(cwd, 'otelcol.yaml')
  await writeFile(file, JSON.stringify(config))
  const child = spawn(goProgram('otelcol'), [`--config=${file}`], { stdio: ['ignore', 'ignore', 'pipe'] })
  services.push(child)
  let said = ''
  child.stderr.on('data', chunk => (said += chunk))
  await expect.poll(() => said, within).toContain('Everything is ready')
  return `http://${endpoint}`
}

let places: { front: Awaited<ReturnType<typeof serve>>; back: Awaited<ReturnType<typeof serve>> }

beforeAll(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'shaketable-attach-'))
  state = await freshState()
  for (const folder of ['experiments', 'objectives'])
    await cp(join(fixture('duo'), folder), join(cwd, folder), { recursive: true })
  // Of the load only that it hits matters here: a busy machine carries this much, too.
  const slow = (await readFile(join(cwd, 'experiments/slow-back.yaml'), 'utf8'))
    .replace('100/s, timeout: 2s', '20/s, timeout: 20s')
    .replace('hold: [look-availability, look-latency], atLeast: 95%', 'hold: [look-availability], atLeast: 60%')
  await writeFile(join(cwd, 'experiments/slow-back.yaml'), slow)
  await writeFile(join(cwd, 'experiments/long.yaml'), slow.replace(/fault: \d+s/, 'fault: 5m'))
  const ofBack = await serve('back')
  places = { back: ofBack, front: await serve('front', { BACK_URL: ofBack.url }) }
  await describeSystem(places)
  const instance = { id: 'back-1', pid: 0, faultControl: { url: ofBack.faults, key } } as unknown as Instance
  back = new FaultControl(instance, 3000, systemClock)
})
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.child.kill('SIGKILL')
    await run.finished
  }
})
afterAll(async () => {
  for (const child of services) {
    if (child.kill('SIGKILL')) await once(child, 'exit')
  }
  ports.release()
  await state.remove()
  await rm(cwd, { recursive: true, force: true })
})

function start(experiment: string, ...more: string[]): Shaketable {
  const env = { SHAKETABLE_FAULTS_KEY: key }
  const args = ['run', `experiments/${experiment}.yaml`, '--target', 'attach', ...more]
  const run = new Shaketable(args, { state: state.state, cwd, env })
  runs.push(run)
  return run
}
const named = (experiment: string, ...more: string[]) => start(experiment, '--yes-this-is', 'duo', ...more)

describe('a run on services that run already', () => {
  it('wants the name of the system, and shows before it is given what it would hit', async () => {
    const unnamed = await start('slow-back').finished
    expect([unnamed.code, unnamed.stderr]).toEqual([2, expect.stringContaining('--yes-this-is duo')])
    const { code, stdout } = await start('slow-back', '--dry-run').finished
    expect([code, stdout]).toEqual([0, expect.stringContaining(`hits back-1 (${places.back.url})`)])
  })

  // No word of the verdict, which hangs on the machine too.
  it('hits them, measures, and leaves a line of who did it and nowhere the key', async () => {
    const { stdout, stderr } = await named('slow-back', '--json', '--report', 'out').finished
    expect(stdout, stderr).not.toBe('')
    const [experiment] = (JSON.parse(stdout) as SuiteReport).experiments
    expect(experiment?.faults[0]).toMatchObject({ instances: ['back-1'], hit: expect.any(Number) })
    expect(experiment?.faults[0]?.hit).toBeGreaterThan(0)
    expect(experiment?.faults[0]?.undoneMs).not.toBeNull()
    expect(await back.armed()).toEqual([])
    expect(await state.runs()).toEqual([])

    const trail = await readFile(join(state.state, 'audit.jsonl'), 'utf8')
    const lines = trail
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line))
    expect(lines.map(({ event }) => event)).toEqual(['run-began', 'run-ended'])
    expect(lines[0]).toMatchObject({
      systems: ['duo'],
      target: 'attach',
      user: expect.any(String),
      pid: expect.any(Number),
    })
    expect(lines[0].experiments[0].faults[0]).toContain('1 s')
    expect(lines[1].outcome).toMatchObject({ verdicts: { 'slow-back': expect.any(String) } })
    const files = await readdir(join(cwd, 'out'), { recursive: true, withFileTypes: true })
    const written = await Promise.all(
      files.filter(file => file.isFile()).map(file => readFile(join(file.parentPath, file.name), 'utf8')),
    )
    expect(files.length).toBeGreaterThan(2)
    for (const text of [...written, stdout, stderr, trail]) expect(text).not.toContain(key)
  })

  it('is judged by the traces that they send to where it listens, here by their collector, and refused where nobody listens', async () => {
    const file = join(cwd, 'experiments/slow-back.yaml')
    const blamed = (await readFile(file, 'utf8')).replace('  expect:\n', '  expect:\n    blame: back\n')
    await writeFile(join(cwd, 'experiments/blamed.yaml'), blamed)
    const deaf = await named('blamed').finished
    const words =
      /blamed\.yaml:\d+:\d+: slow-back is judged by the services' traces, and nobody listens.*--otlp-listen/s
    expect([deaf.code, deaf.stderr]).toEqual([2, expect.stringMatching(words)])

    const listen = `127.0.0.1:${await ports.reserve()}`
    const sending = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: await startCollector(listen) }
    const ofBack = await serve('back', sending)
    await describeSystem({ back: ofBack, front: await serve('front', { ...sending, BACK_URL: ofBack.url }) })
    const { stdout, stderr } = await named('blamed', '--json', '--otlp-listen', listen).finished
    await describeSystem(places)
    expect(stdout, stderr).not.toBe('')
    expect(stderr).toContain(`spans are taken at http://${listen}/v1/traces`)
    const [experiment] = (JSON.parse(stdout) as SuiteReport).experiments
    expect(experiment?.expectations).toContainEqual(
      expect.objectContaining({ name: 'blame back', verdict: 'pass', names: ['back'] }),
    )
    expect(experiment?.traces?.edges[0]).toMatchObject({ from: 'front', to: 'back' })
    expect(experiment?.traces?.struck?.spans.some(({ faultId }) => faultId === 'latency-back')).toBe(true)
  })

  it('strikes its own load alone where it is told so, and nobody else who asks meanwhile', async () => {
    const slow = await readFile(join(cwd, 'experiments/slow-back.yaml'), 'utf8')
    const ofLoad = slow.replace(/latency: \{.*\}/, 'error: { service: back, status: 503, traffic: load }')
    await writeFile(join(cwd, 'experiments/of-load.yaml'), ofLoad)
    const run = named('of-load', '--json')
    await run.says(/fault armed/)
    let ended = false
    void run.finished.then(() => {
      ended = true
    })
    const seen = new Set<string>()
    while (!ended) {
      seen.add(await (await fetch(`${places.front.url}/product/A1`)).text())
      await sleep(20)
    }
    // Without a struck call the price is the true one, and not a stale one.
    expect([...seen]).toEqual([JSON.stringify({ sku: 'A1', cents: 1200 })])
    const { stdout, stderr } = await run.finished
    expect(stdout, stderr).not.toBe('')
    const [experiment] = (JSON.parse(stdout) as SuiteReport).experiments
    const [fault] = experiment!.faults
    expect(fault!.hit).toBeGreaterThan(20)
    expect(fault!.hit).toBe(fault!.seen)
  })

  it('is refused where a fault would need the process, or the key is missing, or the file protects it', async () => {
    const killed = await named('crashed-back').finished
    expect([killed.code, killed.stderr]).toEqual([
      2,
      expect.stringMatching(
        /crashed-back\.yaml:\d+:\d+: crash-back cannot be injected: what runs already .* is neither/,
      ),
    ])
    const env = { SHAKETABLE_FAULTS_KEY: '' }
    const args = ['run', 'experiments/slow-back.yaml', '--target', 'attach', '--yes-this-is', 'duo']
    const keyless = await new Shaketable(args, { state: state.state, cwd, env }).finished
    expect([keyless.code, keyless.stderr]).toEqual([2, expect.stringContaining('offers no fault control')])
    await describeSystem(places, 'name: duo, protected: true')
    const shielded = await named('slow-back').finished
    await describeSystem(places)
    expect([shielded.code, shielded.stderr]).toEqual([2, expect.stringContaining('the system "duo" is protected')])
  })

  it('is refused where its fault control would be called beyond this machine without TLS', async () => {
    await describeSystem({ ...places, back: { ...places.back, faults: 'http://192.0.2.1:9465' } })
    const { code, stderr } = await named('slow-back').finished
    await describeSystem(places)
    expect([code, stderr]).toEqual([2, expect.stringContaining('without TLS (http://192.0.2.1:9465)')])
  })

  it('is refused while another experiment is armed on them, whoever armed it', async () => {
    await back.arm('of-somebody-else', {
      effect: { kind: 'error', status: 503 },
      match: { direction: 'inbound', path: '/nothing' },
      percent: 1,
      scope: 'request',
      seed: 1,
      leaseMs: 60_000,
    })
    const { code, stderr } = await named('slow-back').finished
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/another experiment is armed on back-1: of-somebody-else \(its lease ends in \d+\.\d s\)/),
    ])
    expect((await back.armed())?.map(({ id }) => id)).toEqual(['of-somebody-else'])
    await back.disarm('of-somebody-else')
  })

  it('is alone on its system, and leaves nothing armed when it is killed (SIGKILL)', async () => {
    const first = named('long')
    await first.says(/fault armed/)
    const second = await named('slow-back').finished
    expect([second.code, second.stderr]).toEqual([2, expect.stringContaining(`another run is on the system "duo": `)])
    expect(second.stderr).toContain(`(attach, pid ${first.pid})`)
    first.child.kill('SIGKILL')
    await expect
      .poll(() => new FaultControl(instanceOf(places.back.faults), 0, systemClock).armed(), within)
      .toEqual([])
    await expect.poll(() => processesWith(state.state), within).toEqual([])
    const swept = await new Shaketable(['sweep'], { state: state.state, cwd }).finished
    expect(swept).toMatchObject({ code: 0, stdout: 'clean: no run left anything behind\n' })
  })
})

const instanceOf = (url: string) => ({ id: 'back-1', pid: 0, faultControl: { url, key } }) as unknown as Instance
