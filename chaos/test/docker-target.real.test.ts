import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { exitCode } from '@shaketable/slo'
import type { Container } from 'dockerode'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import type { Journal, JournalEntry } from '../src/conduct/journal.ts'
import type { System } from '../src/experiment/model.ts'
import { random } from '../src/random.ts'
import { dockerTarget } from '../src/targets/docker/docker-target.ts'
import { membershipsOf } from '../src/targets/docker/networks.ts'
import { restoreAll } from '../src/targets/docker/restore.ts'
import type { ShakenContainer } from '../src/targets/docker/shaken.ts'
import { processWorld, systemClock } from '../src/world.ts'
import { fixture, freshState, processesWith, Shaketable } from './cli.ts'
import { type Engine, startEngine } from './fixtures/docker/engine.ts'
import { smallSystem } from './fixtures/small-system/system.ts'
import { hitAndUndone } from './outcome.ts'
import { describeTarget } from './target-contract.ts'

const never = new AbortController().signal
const mark = `shaketable.test.${process.pid}`
const within = { timeout: 30_000, interval: 100 }
const inside = { HOST: '0.0.0.0', PORT: '8080' }
const listeners = { OTEL_EXPORTER_PROMETHEUS_HOST: '0.0.0.0', OTEL_EXPORTER_PROMETHEUS_PORT: '9464' }
let engine: Engine

beforeAll(async () => {
  engine = await startEngine()
})
afterAll(() => engine?.remove())

const shakenIn = (entries: JournalEntry[]): ShakenContainer[] =>
  entries.flatMap(entry => (entry.type === 'container-shaking' ? [entry] : []))

/** Of these containers those that are paused, down, or on no network. */
async function shaken(containers: Container[]): Promise<Container[]> {
  const states = await Promise.all(containers.map(container => container.inspect()))
  return containers.filter((_, index) => {
    const { State, NetworkSettings } = states[index]!
    return State.Paused || !State.Running || Object.keys(NetworkSettings.Networks).length === 0
  })
}

const countShaken = async (containers: Container[]) => (await shaken(containers)).length

describe('containers without the SDK', () => {
  const containers: Container[] = []
  const written: JournalEntry[] = []
  const place = { file: 'system.yaml', line: 1, column: 1 }

  beforeAll(async () => {
    for (const name of ['front-1', 'front-2', 'store']) {
      containers.push(
        await engine.run({
          name: `small-${process.pid}-${name}`,
          command: ['service.mjs'],
          dir: fixture('small-system'),
          labels: { [mark]: name.split('-')[0] as string },
          env: { ...inside, ...(name === 'store' ? {} : listeners) },
          ports: name === 'store' ? [] : [8080, 9464],
          ...(name === 'front-1' && { host: { Memory: 2 ** 30, MemorySwap: 2 ** 31 } }),
        }),
      )
    }
  })

  const target = (env: NodeJS.ProcessEnv = engine.env) => {
    const journal: Journal = {
      runId: 'test',
      dir: '/',
      append: async entry => void written.push(entry),
      close: async () => {},
    }
    return dockerTarget({ world: { ...processWorld(never), env }, journal })
  }
  const system = (front = `${mark}=front`, store = `${mark}=store`): System => ({
    ...smallSystem(),
    services: [
      {
        name: 'front',
        local: undefined,
        docker: { label: front, port: undefined, restartDelayMs: 100 },
        ready: '/readyz',
        place,
      },
      {
        name: 'store',
        local: undefined,
        docker: { label: store, port: undefined, restartDelayMs: 100 },
        ready: 'tcp',
        place,
      },
    ],
  })

  describeTarget('docker', async () => {
    const subject = target()
    return {
      target: subject,
      start: (signal = never) => subject.start(system(), signal),
      service: 'front',
      restartWithinMs: 30_000,
      answers: async instance => {
        const url = subject.urls('front')[subject.instances('front').indexOf(instance)] as string
        return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
          ({ ok }) => ok,
          () => false,
        )
      },
      startsThem: false,
      freezes: true,
      countLeft: () => countShaken(containers),
    }
  })

  it('are written down before they are shaken, and again once they are restored', async () => {
    const subject = target()
    await subject.start(system(), never)
    written.length = 0
    const [front] = subject.instances('front')
    await front?.freeze()
    await front?.resume()
    await subject.stop()
    const { Id: container, Name } = await containers[0]!.inspect()
    expect(written).toEqual([
      {
        type: 'container-shaking',
        instance: 'front-1',
        name: Name.slice(1),
        container,
        engine: { socketPath: engine.env.DOCKER_HOST.slice('unix://'.length) },
      },
      { type: 'container-restored', instance: 'front-1', container },
    ])
  })

  it('are taken from their networks and limited, and get back what they had, also from a sweep', async () => {
    const subject = target()
    await subject.start(system(), never)
    const [front] = subject.instances('front')
    const container = containers[0]!
    const answers = () =>
      fetch(subject.urls('front')[0]!, { signal: AbortSignal.timeout(1000) }).then(
        ({ ok }) => ok,
        () => false,
      )
    const before = membershipsOf(await container.inspect())
    expect(before.length).toBeGreaterThan(0)

    for (const undo of ['reconnect', 'sweep']) {
      written.length = 0
      await front?.disconnect?.()
      expect(await answers()).toBe(false)
      expect(membershipsOf(await container.inspect())).toEqual([])
      if (undo === 'sweep') expect((await restoreAll(shakenIn(written), systemClock)).problems).toEqual([])
      else await front?.reconnect?.()
      expect(membershipsOf(await container.inspect())).toEqual(before)
      await expect.poll(answers, within).toBe(true)
    }
    await front?.reconnect?.()

    const used = async () => {
      const { CpuQuota, Memory } = (await container.inspect()).HostConfig
      return { CpuQuota, Memory }
    }
    for (const undo of ['unlimit', 'sweep']) {
      written.length = 0
      await front?.limit?.({ cpus: 0.5, memoryBytes: 512 * 2 ** 20 })
      expect(await used()).toEqual({ CpuQuota: 50_000, Memory: 512 * 2 ** 20 })
      if (undo === 'sweep') expect((await restoreAll(shakenIn(written), systemClock)).problems).toEqual([])
      else await front?.unlimit?.()
      expect(await used()).toEqual({ CpuQuota: -1, Memory: 2 ** 30 })
    }
    await subject.stop()
  })

  it('are not touched where a service has none, or shares them with another, or one is paused already', async () => {
    const refusal = (of: System) =>
      target()
        .start(of, never)
        .then(String, error => error)
    expect(await refusal(system(`${mark}=nobody`))).toMatchObject({
      exitCode: 2,
      message: `system.yaml:1:1: no running container has the label ${mark}=nobody of the service front; nothing was done`,
    })
    expect((await refusal(system(mark, mark))).message).toContain('bears the labels of two services, front and store')
    await containers[1]!.pause()
    try {
      expect((await refusal(system())).message).toMatch(/front-2 \(container small-\d+-front-2\) is paused already/)
    } finally {
      await containers[1]!.unpause()
    }
  })

  it('are not looked for where no engine answers', async () => {
    const nowhere = target({ DOCKER_HOST: 'unix:///nowhere/docker.sock' })
    await expect(nowhere.start(system(), never)).rejects.toMatchObject({ code: 'SHAKETABLE_NO_ENGINE', exitCode: 2 })
  })

  it('are not stopped where they would not come back as they were', async () => {
    const fleeting = await engine.run({
      name: `small-${process.pid}-fleeting`,
      command: ['service.mjs'],
      dir: fixture('small-system'),
      labels: { [mark]: 'fleeting' },
      env: inside,
      ports: [],
      host: { AutoRemove: true },
    })
    const subject = target()
    await subject.start(system(undefined, `${mark}=fleeting`), never)
    const anywhere = { id: 'x', service: 'store', startMs: 0, durationMs: 1, instances: 1, place }
    expect(subject.refuses?.({ ...anywhere, kind: 'crash', everyMs: undefined })).toContain('(--rm)')
    expect(subject.refuses?.({ ...anywhere, kind: 'freeze' })).toBeUndefined()
    await subject.stop()
    await fleeting.remove({ force: true })
  })
})

describe('a run on containers', () => {
  const containers: Container[] = []
  const key = 'a-key-of-the-test-alone'
  const clearing: (() => Promise<void>)[] = []
  let cwd: string
  let state: Awaited<ReturnType<typeof freshState>>

  beforeAll(async () => {
    const name = (service: string) => `duo-${process.pid}-${service}`
    const service = (id: string, more: Record<string, string>) =>
      engine.run({
        name: name(id),
        command: ['--import', '@shaketable/sdk/register', `${id.split('-')[0]}.mjs`],
        dir: fixture('duo'),
        labels: { [`${mark}.duo`]: id.split('-')[0] as string },
        env: {
          ...inside,
          ...listeners,
          OTEL_SERVICE_NAME: id.split('-')[0] as string,
          OTEL_TRACES_EXPORTER: 'none',
          NODE_OPTIONS: '--conditions=@shaketable/source',
          ...more,
        },
        ports: [8080, 9464, ...(more.SHAKETABLE_FAULTS ? [9465] : [])],
      })
    const faults = {
      SHAKETABLE_FAULTS: 'on',
      SHAKETABLE_FAULTS_HOST: '0.0.0.0',
      SHAKETABLE_FAULTS_PORT: '9465',
      SHAKETABLE_FAULTS_KEY: key,
    }
    containers.push(await service('back-1', faults), await service('back-2', faults))
    const backs = ['back-1', 'back-2'].map(id => `http://${name(id)}:8080`).join(',')
    containers.push(await service('front', { BACK_URL: backs }))

    cwd = await mkdtemp(join(tmpdir(), 'shaketable-containers-'))
    for (const folder of ['experiments', 'objectives']) {
      await cp(join(fixture('duo'), folder), join(cwd, folder), { recursive: true })
    }
    // No verdict is asked for here: a busy machine carries this much, too.
    for (const name of await readdir(join(cwd, 'experiments'))) {
      const file = join(cwd, 'experiments', name)
      const light = (await readFile(file, 'utf8'))
        .replace('100/s, timeout: 2s', '20/s, timeout: 20s')
        .replace('hold: [look-availability, look-latency], atLeast: 95%', 'hold: [look-availability], atLeast: 60%')
      await writeFile(file, light)
    }
    // To be killed in mid-fault, with time to look: nothing but the kill ends it.
    for (const name of ['frozen-back', 'crashed-back']) {
      const short = await readFile(join(cwd, 'experiments', `${name}.yaml`), 'utf8')
      const long = short.replace('fault: 2s', 'fault: 5m')
      await writeFile(join(cwd, 'experiments', `long-${name}.yaml`), long)
      if (name !== 'frozen-back') continue
      const apart = long.replace('freeze:', 'disconnect:').replace('name: frozen-back', 'name: disconnected-back')
      await writeFile(join(cwd, 'experiments', 'long-disconnected-back.yaml'), apart)
    }
    await describeSystem('200ms')
  })
  afterAll(() => rm(cwd, { recursive: true, force: true }))
  afterEach(async () => {
    for (const clear of clearing.splice(0)) await clear()
    expect(await countShaken(containers)).toBe(0)
  })

  const describeSystem = (restartDelay: string) =>
    writeFile(
      join(cwd, 'system.yaml'),
      `apiVersion: shaketable.dev/v1alpha1
kind: System
metadata: { name: duo }
spec:
  services:
    - name: front
      docker: { label: ${mark}.duo=front }
    - name: back
      docker: { label: ${mark}.duo=back, restartDelay: ${restartDelay} }
  journeys:
    - name: look
      steps:
        - { request: { method: GET, to: front, path: /product/A1 }, expect: { status: 200 } }
`,
    )

  const start = async (experiments: string, ...more: string[]) => {
    state = await freshState()
    const files = experiments.split(' ').map(name => `experiments/${name}.yaml`)
    const args = ['run', ...files, '--target', 'docker', ...more]
    const run = new Shaketable(args, { state: state.state, cwd, env: engine.env })
    const { remove } = state
    clearing.push(async () => {
      run.child.kill('SIGKILL')
      await run.finished
      await remove()
    })
    return run
  }
  const sweep = () => new Shaketable(['sweep'], { state: state.state, cwd, env: { DOCKER_HOST: '' } }).finished

  it('wants the name of the system, and does nothing without it', async () => {
    const unnamed = await (await start('frozen-back')).finished
    expect(unnamed.code).toBe(2)
    expect(unnamed.stderr).toContain('this would shake the system "duo", which shaketable has not started')
    expect(unnamed.stderr).toContain('--yes-this-is duo')
    const another = await (await start('frozen-back', '--yes-this-is', 'shop')).finished
    expect([another.code, await state.runs()]).toEqual([2, []])
    const env = await (await start('frozen-back', '--yes-this-is', 'duo', '--env', 'A=b')).finished
    expect([env.code, env.stderr]).toEqual([2, expect.stringContaining('--env reaches only what shaketable starts')])
  })

  it('hits, measures, and leaves all as it was', async () => {
    const names = ['frozen-back', 'crashed-back', 'slow-back']
    const run = await start(names.join(' '), '--yes-this-is', 'duo', '--seed', '1', '--json')
    for (const { objectives } of hitAndUndone(await run.finished, names)) {
      for (const { counters } of objectives) expect(counters?.total).toBeGreaterThan(0)
    }
    expect(await state.runs()).toEqual([])
  })

  it('shows beforehand, and without the name, which containers it would hit', async () => {
    const { code, stdout } = await (await start('frozen-back', '--dry-run', '--seed', '1')).finished
    expect(code).toBe(0)
    expect(stdout).toMatch(/ {2}system {4}duo \(front, back x2\)\n/)
    expect(stdout).toMatch(/ hits back-[12] \(container duo-\d+-back-[12]\)\n/)
    expect(await state.runs()).toEqual([])
  })

  it('refuses a fault in a process that offers no fault control', async () => {
    const file = join(cwd, 'experiments', 'slow-front.yaml')
    const slowBack = await readFile(join(cwd, 'experiments', 'slow-back.yaml'), 'utf8')
    await writeFile(file, slowBack.replace('service: back', 'service: front'))
    const { code, stderr } = await (await start('slow-front', '--yes-this-is', 'duo')).finished
    expect(code).toBe(2)
    expect(stderr).toMatch(
      /slow-front\.yaml:\d+:\d+: \S+ cannot be injected: front-1 \(container \S+\) offers no fault control/,
    )
    expect(stderr).not.toContain(key)
  })

  const stages = [
    { killed: 'its runner', experiment: 'long-frozen-back', says: /fault armed: freeze/, restartDelay: '200ms' },
    { killed: 'its runner', experiment: 'long-crashed-back', says: /fault armed: crash/, restartDelay: '10m' },
    {
      killed: 'its runner',
      experiment: 'long-disconnected-back',
      says: /fault armed: disconnect/,
      restartDelay: '200ms',
    },
    { killed: 'the container', experiment: 'frozen-back', says: /fault armed: freeze/, restartDelay: '200ms' },
  ]
  const next = random(Number(process.env.SOAK_SEED ?? 9))
  const moments = Array.from({ length: Number(process.env.SOAK_DOCKER_KILLS ?? stages.length) }, (_, index) => ({
    ...stages[index % stages.length]!,
    delayMs: Math.floor(next() * 1000),
  }))
  it.for(moments)(
    '$experiment: $killed is killed (SIGKILL) in mid-fault, $delayMs ms after it began, and the containers are restored',
    async ({ killed, experiment, says, restartDelay, delayMs }) => {
      await describeSystem(restartDelay)
      const run = await start(experiment, '--yes-this-is', 'duo')
      await run.says(says)
      expect(await countShaken(containers)).toBe(1)
      await sleep(delayMs)
      if (killed === 'the container') {
        // Whoever kills what we have shaken: it ran when we came.
        await (await shaken(containers))[0]?.kill({ signal: 'SIGKILL' })
        expect([exitCode.pass, exitCode.fail, exitCode.inconclusive, exitCode.void]).toContain(
          (await run.finished).code,
        )
      } else run.child.kill('SIGKILL')
      await expect.poll(() => countShaken(containers), within).toBe(0)
      await expect.poll(() => processesWith(state.state), within).toEqual([])
      expect((await sweep()).stdout).toBe('clean: no run left anything behind\n')
    },
  )

  it('that lost its runner and its keeper is undone by a sweep, which finds the engine by itself', async () => {
    const run = await start('long-frozen-back', '--yes-this-is', 'duo')
    await run.says(/fault armed: freeze/)
    const ours = await processesWith(state.state)
    for (const pid of ours) process.kill(pid, 'SIGKILL')
    await run.finished
    expect(await countShaken(containers)).toBe(1)
    const { code, stdout } = await sweep()
    expect(code).toBe(0)
    expect(stdout).toMatch(/resumed back-\d \(container duo-\d+-back-\d\)\n/)
    expect(await state.runs()).toEqual([])
  })
})
