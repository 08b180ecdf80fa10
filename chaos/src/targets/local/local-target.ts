import { randomBytes } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Journal } from '../../conduct/journal.ts'
import type { System } from '../../experiment/model.ts'
import type { World } from '../../world.ts'
import type { InstanceEvent, Target } from '../target.ts'
import { endProcesses } from './end-processes.ts'
import { type InstancePorts, instanceEnvironment } from './environment.ts'
import { ExitedEarly, LocalInstance } from './local-instance.ts'
import { Ports } from './ports.ts'
import { RunProcesses } from './run-processes.ts'

const readyWithinMs = 60_000
const lastLines = 20
/** For what outlived its leader; every leader has had its own grace by then. */
const stragglerGraces = { sigterm: 500, sigint: 500, sigkill: 2000 }

export interface LocalTargetOptions {
  world: World
  /** Marks every process of the run. */
  runId: string
  journal: Journal
  /** `--env`: wins over everything else in each instance's environment. */
  env: Record<string, string>
  /** Where each instance's output goes, as `<instance>.log`. */
  logDir: string
  /** Where services send their spans. */
  tracesUrl?: ((forwardTo: string | undefined) => string) | undefined
}

/**
 * Runs a system as processes of this machine, all started at once: services wait for their peers themselves. After `start`
 * has rejected, `stop` still has to be called. Not for Windows, which has neither signals nor process groups.
 */
export function localTarget(options: LocalTargetOptions): Target {
  const { world, runId, journal } = options
  const ports = new Ports()
  const faultKey = randomBytes(24).toString('hex')
  const listeners: ((event: InstanceEvent) => void)[] = []
  let instances: LocalInstance[] = []
  let stopped: Promise<void> | undefined

  const of = (service: string) => instances.filter(instance => instance.service === service)
  const urls = (service: string) => of(service).map(({ url }) => url)
  const emit = (event: InstanceEvent) => {
    for (const listener of listeners) listener(event)
  }

  async function start(system: System, signal: AbortSignal): Promise<void> {
    await mkdir(options.logDir, { recursive: true })
    instances = await plan(system)
    signal.throwIfAborted()
    const tooLate = AbortSignal.timeout(readyWithinMs)
    const both = AbortSignal.any([signal, tooLate])
    await Promise.all(
      instances.map(async instance => {
        try {
          await instance.start(both)
        } catch (cause) {
          if (signal.aborted) throw signal.reason
          throw startFailure(instance, cause)
        }
      }),
    )
  }

  /** Every instance with its ports, before any is started: each is told where all the others are. */
  async function plan(system: System): Promise<LocalInstance[]> {
    const planned: { service: System['services'][number]; id: string; ports: InstancePorts; env: NodeJS.ProcessEnv }[] =
      []
    for (const service of system.services) {
      if (!service.local) throw notLocal(service.name, system)
      for (let replica = 1; replica <= service.local.replicas; replica++) {
        const withSdk = service.ready !== 'tcp'
        const own = {
          http: await ports.reserve(),
          admin: withSdk ? await ports.reserve() : undefined,
          faults: withSdk ? await ports.reserve() : undefined,
        }
        planned.push({ service, id: `${service.name}-${replica}`, ports: own, env: {} })
      }
    }
    const made = planned.map(
      ({ service, id, ports, env }) =>
        new LocalInstance({
          id,
          service,
          local: service.local as NonNullable<typeof service.local>,
          ports,
          faultKey,
          cwd: system.dir,
          env,
          logFile: join(options.logDir, `${id}.log`),
          journal,
          clock: world.clock,
          emit,
        }),
    )
    const urlsOf = (name: string) => made.filter(({ service }) => service === name).map(({ url }) => url)
    for (const { service, id, ports, env } of planned) {
      const user = world.env
      const all = {
        system,
        service,
        id,
        ports,
        urls: urlsOf,
        runId,
        faultKey,
        user,
        override: options.env,
        tracesUrl: options.tracesUrl,
      }
      Object.assign(env, instanceEnvironment(all))
    }
    return made
  }

  async function stop(): Promise<void> {
    for (const instance of instances) instance.letGo()
    try {
      await Promise.all(instances.filter(({ isBackingService }) => !isBackingService).map(instance => instance.stop()))
      await Promise.all(instances.filter(({ isBackingService }) => isBackingService).map(instance => instance.stop()))
      const processes = new RunProcesses(
        runId,
        instances.flatMap(({ lives }) => lives),
      )
      const { left } = await endProcesses(processes, world.clock, stragglerGraces)
      if (left.length > 0) throw stillAlive(left)
    } finally {
      ports.release()
    }
  }

  return {
    kind: 'local',
    logs: () => instances.map(({ id, service, logFile }) => ({ instance: id, service, path: logFile })),
    instances: service => of(service),
    start,
    urls,
    events: listener => void listeners.push(listener),
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

function startFailure(instance: LocalInstance, cause: unknown): ShaketableError {
  if (cause instanceof ShaketableError) return cause
  const how =
    cause instanceof ExitedEarly
      ? `ended before it was ready: ${cause.message}`
      : `was not ready after ${readyWithinMs / 1000} s`
  return new ShaketableError('SHAKETABLE_START_FAILED', `${instance.id} ${how}\n${lastWords(instance)}`, {
    exitCode: exitCode.void,
    cause,
    hint: `--report DIR keeps its whole log, as DIR/logs/${instance.id}.log`,
  })
}

function lastWords({ logFile }: LocalInstance): string {
  try {
    const lines = readFileSync(logFile, 'utf8').trimEnd().split('\n').slice(-lastLines)
    return lines.join('') === '' ? '  (it wrote nothing)' : lines.map(line => `  | ${line}`).join('\n')
  } catch (error) {
    return `  (its log cannot be read: ${(error as Error).message})`
  }
}

function notLocal(service: string, { place: { file, line, column } }: System): ShaketableError {
  return new ShaketableError(
    'SHAKETABLE_NOT_LOCAL',
    `${file}:${line}:${column}: the service ${service} has no \`local:\`, so it cannot be run as a process of this machine`,
    { exitCode: exitCode.invalidInput, hint: 'add `local: { command: [node, …] }` to it' },
  )
}

function stillAlive(pids: number[]): ShaketableError {
  return new ShaketableError('SHAKETABLE_NOT_UNDONE', `still alive after SIGKILL: pid ${pids.join(', ')}`, {
    exitCode: exitCode.notUndone,
    hint: 'shaketable sweep tries again; a process in an uninterruptible wait ends when the kernel lets it',
  })
}
