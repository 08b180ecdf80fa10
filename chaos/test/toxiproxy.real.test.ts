import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect, createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { goProgram } from '../../.ci/tools/go.ts'
import type { JournalEntry } from '../src/conduct/journal.ts'
import type { FaultSpec, ToxicSpec } from '../src/experiment/model.ts'
import { describeFault, injectFault } from '../src/faults/index.ts'
import { Ports } from '../src/targets/local/ports.ts'
import type { Target } from '../src/targets/target.ts'
import { seeProxy } from '../src/toxiproxy/toxiproxy.ts'
import { processWorld } from '../src/world.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'
import { runToolkit } from './toolkit.ts'

const ports = new Ports()
const answerBytes = 2000
let toxiproxy: ChildProcess
let upstream: Server
let api: string
let at: { api: string; proxy: string }
let port: number

/** One connection through the proxy: what came of its answer, how it ended, and after how long. */
async function ask(withinMs = 10_000): Promise<{ bytes: number; end: string; ms: number }> {
  const began = performance.now()
  const socket = connect(port, '127.0.0.1')
  let bytes = 0
  socket.on('data', chunk => {
    bytes += chunk.length
    if (bytes === answerBytes) socket.end()
  })
  socket.write('ask')
  const ended = Promise.race([
    once(socket, 'close').then(() => 'closed'),
    once(socket, 'error').then(([error]) => error.code as string),
    sleep(withinMs, 'nothing', { ref: false }),
  ]).catch(error => error.code as string)
  const end = await ended
  socket.destroy()
  return { bytes, end, ms: performance.now() - began }
}

beforeAll(async () => {
  const program = goProgram('toxiproxy')
  upstream = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', () => socket.write(Buffer.alloc(answerBytes, 'x')))
    socket.on('end', () => socket.end())
  })
  await once(upstream.listen(0, '127.0.0.1'), 'listening')
  const apiPort = await ports.reserve()
  toxiproxy = spawn(program, ['-host', '127.0.0.1', '-port', String(apiPort)], { stdio: 'ignore' })
  api = `http://127.0.0.1:${apiPort}`
  const answers = () =>
    fetch(`${api}/version`).then(
      ({ ok }) => ok,
      () => false,
    )
  while (!(await answers())) await sleep(50)
  port = await ports.reserve()
  at = { api, proxy: 'store' }
  const { port: upstreamPort } = upstream.address() as { port: number }
  const body = { name: 'store', listen: `127.0.0.1:${port}`, upstream: `127.0.0.1:${upstreamPort}` }
  const made = await fetch(`${api}/proxies`, { method: 'POST', body: JSON.stringify(body) })
  expect(made.status).toBe(201)
})
afterAll(async () => {
  if (toxiproxy?.kill('SIGKILL')) await once(toxiproxy, 'exit')
  upstream?.close()
  ports.release()
})

const specOf = (toxic: ToxicSpec, more: Partial<FaultSpec> = {}): FaultSpec =>
  ({
    id: 'network-store',
    service: 'store',
    startMs: 0,
    durationMs: 1000,
    place: { file: 'one.yaml', line: 1, column: 1 },
    kind: 'network',
    at,
    toxic,
    stream: 'downstream',
    toxicity: 1,
    ...more,
  }) as FaultSpec

const written: JournalEntry[] = []
const inject = (spec: FaultSpec) =>
  injectFault(spec, {
    world: processWorld(new AbortController().signal),
    target: {} as Target,
    seed: 1,
    leaseMs: 3000,
    journal: async entry => void written.push({ type: 'fault-arming', ...entry }),
    shaking: async entry => void written.push(entry),
  })

const whole = { bytes: answerBytes, end: 'closed' }
const table: [ToxicSpec, string, (seen: Awaited<ReturnType<typeof ask>>) => void][] = [
  [
    { type: 'latency', delayMs: 300, jitterMs: 10 },
    'network 300 ms ± 10 ms slower before store',
    seen => {
      expect(seen).toMatchObject(whole)
      expect(seen.ms).toBeGreaterThan(280)
    },
  ],
  [
    { type: 'bandwidth', bytesPerSecond: 4000 },
    'network at 4 KB/s before store',
    seen => {
      expect(seen).toMatchObject(whole)
      expect(seen.ms).toBeGreaterThan(300)
    },
  ],
  [
    { type: 'slowClose', delayMs: 400 },
    'connections closed 400 ms late before store',
    seen => {
      expect(seen).toMatchObject(whole)
      expect(seen.ms).toBeGreaterThan(380)
    },
  ],
  [
    { type: 'timeout', afterMs: 200 },
    'no data, and connections closed after 200 ms before store',
    seen => expect(seen).toMatchObject({ bytes: 0, end: expect.stringMatching(/closed|ECONNRESET/) }),
  ],
  [
    { type: 'resetPeer', afterMs: 0 },
    'connections reset after 0 ms before store',
    seen => expect(seen.end).toMatch(/ECONNRESET|closed/),
  ],
  [
    { type: 'slicer', bytes: 200, variationBytes: 10, delayMs: 20 },
    'data in slices of 200 B before store',
    seen => {
      expect(seen).toMatchObject(whole)
      expect(seen.ms).toBeGreaterThan(100)
    },
  ],
  [
    { type: 'limitData', bytes: 500 },
    'connections closed after 500 B before store',
    seen => expect(seen).toMatchObject({ bytes: 500, end: 'closed' }),
  ],
  [{ type: 'down' }, 'network down before store', seen => expect(seen.end).toMatch(/ECONNREFUSED|closed/)],
]

it.for(table.map(([toxic, ...rest]) => [toxic.type, toxic, ...rest] as const))(
  '%s disturbs what goes through the proxy until it is undone',
  async ([, toxic, words, check]) => {
    expect(await ask()).toMatchObject(whole)
    const before = await seeProxy(at)
    const spec = specOf(toxic)
    expect(describeFault(spec)).toBe(words)
    written.length = 0
    const injected = await inject(spec)
    try {
      expect(written.map(({ type }) => type)).toEqual(['fault-arming', 'proxy-shaking'])
      check(await ask(3000))
      await expect(inject(spec)).rejects.toMatchObject({ code: 'SHAKETABLE_NOTHING_TO_HIT' })
    } finally {
      await injected.undo()
    }
    await injected.undo()
    expect(await seeProxy(at)).toEqual(before)
    expect(await ask()).toMatchObject(whole)
  },
)

it('says what Toxiproxy answers where there is no such proxy, and that nobody answers where there is none', async () => {
  const missing = { ...at, proxy: 'nobody' }
  await expect(inject(specOf({ type: 'down' }, { at: missing } as Partial<FaultSpec>))).rejects.toThrow(
    /Toxiproxy at \S+: GET \/proxies\/nobody answers 404/,
  )
  const nowhere = { api: 'http://127.0.0.1:65533', proxy: 'store' }
  await expect(inject(specOf({ type: 'down' }, { at: nowhere } as Partial<FaultSpec>))).rejects.toThrow(
    /is not answered .*ECONNREFUSED/,
  )
})

it('a run that is killed (SIGKILL) with its keeper leaves a partition, and a sweep ends it; a keeper alone suffices', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'shaketable-toxiproxy-'))
  const { state, runs, remove } = await freshState()
  await cp(fixture('faulted'), dir, { recursive: true })
  const system = await readFile(join(dir, 'system.yaml'), 'utf8')
  const command = `command: [node, ${join(fixture('faulted'), 'store.mjs')}]`
  await writeFile(
    join(dir, 'system.yaml'),
    system
      .replace('command: [node, store.mjs]', command)
      .replace('service.mjs]', `${join(fixture('faulted'), 'service.mjs')}]`)
      .replace('"@shaketable/sdk/register"', JSON.stringify(import.meta.resolve('@shaketable/sdk/register')))
      .replace('      ready: tcp', `      ready: tcp\n      toxiproxy: { api: "${api}", proxy: store }`),
  )
  await writeFile(
    join(dir, 'one.yaml'),
    `apiVersion: shaketable.dev/v1alpha1
kind: Experiment
metadata: { name: partition }
spec:
  system: system.yaml
  objectives: [availability.yaml]
  load: { journey: hello, rate: 20/s, timeout: 20s }
  phases: { baseline: 1s, fault: 5m, recovery: 1s }
  faults: [network: { service: store, down: true }]
  expect: { objectives: { hold: [availability], atLeast: 60% } }
`,
  )
  const within = { timeout: 30_000, interval: 100 }
  const enabled = async () => (await seeProxy(at)).enabled
  const started = async () => {
    const run = new Shaketable(['run', 'one.yaml'], { state, cwd: dir })
    await run.says(/fault armed: network down/)
    expect(await enabled()).toBe(false)
    return run
  }
  try {
    const first = await started()
    first.child.kill('SIGKILL')
    await expect.poll(enabled, within).toBe(true)
    await expect.poll(() => processesWith(state), within).toEqual([])

    const second = await started()
    for (const pid of await processesWith(state)) process.kill(pid, 'SIGKILL')
    await second.finished
    expect(await enabled()).toBe(false)
    const swept = await new Shaketable(['sweep'], { state, cwd: dir }).finished
    expect(swept).toMatchObject({ code: 0, stdout: expect.stringContaining(`the proxy store of ${api} enabled`) })
    expect([await enabled(), await runs()]).toEqual([true, []])
  } finally {
    for (const pid of await processesWith(state)) process.kill(pid, 'SIGKILL')
    await remove()
    await rm(dir, { recursive: true, force: true })
  }
})

it('bears what an experiment of the Chaos Toolkit lays on it, and has nothing of it at the end', async () => {
  const provider = (module: string, func: string, given: object) => ({
    type: 'python',
    module: `chaostoxi.${module}`,
    func,
    arguments: given,
  })
  const exists = provider('proxy.probes', 'proxy_exist', { proxy_name: 'store' })
  const toxics = {
    type: 'probe',
    name: 'toxics',
    tolerance: { type: 'jsonpath', path: '$.body.toxics[*].type', expect: ['latency'] },
    provider: { type: 'http', url: `${api}/proxies/store`, timeout: 30 },
  }
  const slow = provider('toxic.actions', 'create_latency_toxic', {
    for_proxy: 'store',
    toxic_name: 'slow',
    latency: 100,
    jitter: 10,
  })
  const gone = provider('toxic.actions', 'delete_toxic', { for_proxy: 'store', toxic_name: 'slow' })
  const { code, stdout, stderr } = await runToolkit({
    configuration: { toxiproxy_url: api },
    'steady-state-hypothesis': {
      title: 'The proxy is there',
      probes: [{ type: 'probe', name: 'there', tolerance: true, provider: exists }],
    },
    method: [{ type: 'action', name: 'slow', provider: slow }, toxics],
    rollbacks: [{ type: 'action', name: 'gone', provider: gone }],
  })
  expect(code, stdout + stderr).toBe(0)
  expect((await seeProxy(at)).toxics).toEqual([])
  // Without a rollback it is taken away all the same.
  const left = await runToolkit({
    configuration: { toxiproxy_url: api },
    method: [{ type: 'action', name: 'slow', provider: slow }, toxics],
    rollbacks: [],
  })
  expect([left.code, left.stdout], left.stderr).toEqual([0, expect.stringContaining('undone: ')])
  expect((await seeProxy(at)).toxics).toEqual([])
})
