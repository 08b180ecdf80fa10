import { createInterface } from 'node:readline'
import { variable } from '@shaketable/sdk/names'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Journal } from '../../conduct/journal.ts'
import type { FaultSpec, System } from '../../experiment/model.ts'
import { isInsideProcess } from '../../faults/inside-process.ts'
import type { World } from '../../world.ts'
import type { InstanceEvent, Target } from '../target.ts'
import { DockerInstance } from './docker-instance.ts'
import { connect } from './engine.ts'
import { engineAddress } from './engine-address.ts'
import { findContainers, refused, unreachable } from './find-containers.ts'

const readyWithinMs = 30_000
const listenAgainMs = 200
const endsInstances: FaultSpec['kind'][] = ['crash', 'terminate', 'rollingRestart', 'scaleToZero']

/**
 * Shakes a system that already runs as containers, found by their labels. It starts none; `stop` leaves every one that it has
 * paused or stopped running.
 */
export function dockerTarget({ world, journal }: { world: World; journal: Journal }): Target {
  const engine = engineAddress(world.env)
  const docker = connect(engine)
  const ended = new AbortController()
  const listeners: ((event: InstanceEvent) => void)[] = []
  let instances: DockerInstance[] = []
  let listening: Promise<void> = Promise.resolve()
  let stopped: Promise<void> | undefined

  const of = (service: string) => instances.filter(instance => instance.service === service)
  const urls = (service: string) => of(service).flatMap(({ url }) => url ?? [])
  const emit = (event: InstanceEvent) => {
    for (const listener of listeners) listener(event)
  }

  async function start(system: System, signal: AbortSignal): Promise<void> {
    const since = await engineTime()
    instances = (await findContainers(docker, system)).map(
      found =>
        new DockerInstance({
          found,
          container: docker.getContainer(found.seen.Id),
          docker,
          engine,
          faultKey: world.env[variable.faultsKey],
          journal,
          clock: world.clock,
          emit,
        }),
    )
    mustBeReachable(system)
    signal.throwIfAborted()
    listening = listen(since)
    const tooLate = AbortSignal.timeout(readyWithinMs)
    await Promise.all(
      instances.map(async instance => {
        await instance.ready(AbortSignal.any([signal, tooLate])).catch(cause => {
          if (signal.aborted) throw signal.reason
          const words = `${instance.id} (container ${instance.name}) is not ready after ${readyWithinMs / 1000} s`
          const hint = `docker logs ${instance.name}`
          throw new ShaketableError('SHAKETABLE_NOT_READY', words, { exitCode: exitCode.void, cause, hint })
        })
      }),
    )
  }

  function mustBeReachable(system: System): void {
    const loaded = new Set(
      system.journeys.flatMap(({ setup, steps }) => [...setup, ...steps].map(step => step.request.to)),
    )
    for (const instance of instances) {
      const { place, ready } = system.services.find(({ name }) => name === instance.service)!
      const who = `${instance.id} (container ${instance.name})`
      if (loaded.has(instance.service) && !instance.url) {
        throw refused(
          place,
          `${who} publishes no port for the load`,
          'publish it, and name it: `docker: { port: 8080 }`',
        )
      }
      if (ready !== 'tcp' && !instance.adminUrl) {
        const hint = 'publish OTEL_EXPORTER_PROMETHEUS_PORT (9464), or say `ready: tcp` for a service without the SDK'
        throw refused(place, `${who} does not publish the port of its health listener`, hint)
      }
    }
  }

  /** By the engine's own clock, in ns since the epoch: it need not agree with ours. */
  async function engineTime(): Promise<bigint> {
    const { SystemTime } = (await docker.info().catch(unreachable)) as { SystemTime: string }
    return BigInt(Date.parse(SystemTime)) * 1_000_000n
  }

  /** The engine's own news of our containers, until the end; taken up where it broke off. */
  async function listen(since: bigint): Promise<void> {
    const byContainer = new Map(instances.map(instance => [instance.container, instance]))
    const filters = { event: ['start', 'die'], container: [...byContainer.keys()] }
    let last = since
    while (!ended.signal.aborted) {
      try {
        const seconds = Number(last / 1_000_000_000n)
        const news = await docker.getEvents({ filters, since: seconds, abortSignal: ended.signal })
        const lines = createInterface({ input: news })
        news.on('error', () => lines.close())
        ended.signal.addEventListener('abort', () => lines.close(), { once: true })
        for await (const line of lines) {
          const { Action, Actor } = JSON.parse(line)
          // As a number it would lose its last digits. The engine repeats what it told in the second of `since`.
          const at = BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? 0)
          if (at <= last) continue
          last = at
          const instance = byContainer.get(Actor.ID)
          if (Action === 'die') instance?.ended(Number(Actor.Attributes.exitCode))
          else await instance?.started()
        }
      } catch {
        // The engine went away, or we did.
      }
      await world.clock.sleep(listenAgainMs, ended.signal).catch(() => {})
    }
  }

  async function stop(): Promise<void> {
    const results = await Promise.allSettled(instances.map(instance => instance.stop()))
    ended.abort()
    await listening
    const failure = results.find(result => result.status === 'rejected')
    if (failure) throw failure.reason
  }

  function refuses(fault: FaultSpec): string | undefined {
    if (fault.kind === 'freeze') return undefined
    if (endsInstances.includes(fault.kind)) {
      const fleeting = of(fault.service).find(instance => instance.losesItself)
      return fleeting && `${fleeting.id} (container ${fleeting.name}) would not come back: ${fleeting.losesItself}`
    }
    if (!isInsideProcess(fault)) return undefined
    if ('from' in fault && fault.from) return 'who calls whom (`from`) cannot be told yet between containers'
    const deaf = of(fault.service).find(instance => !instance.faultControl)
    const needs = `${variable.faults}=on, ${variable.faultsHost}=0.0.0.0, a published ${variable.faultsPort} and ${variable.faultsKey}`
    return deaf && `${deaf.id} (container ${deaf.name}) offers no fault control: it needs ${needs}`
  }

  return {
    kind: 'docker',
    instances: of,
    start,
    urls,
    events: listener => void listeners.push(listener),
    refuses,
    stop: () => {
      stopped ??= stop()
      return stopped
    },
  }
}

/** What runs of each service at this moment: `orders-1 (container shop-orders-1)`. Only looks. */
export async function namesIn(system: System, env: NodeJS.ProcessEnv): Promise<Map<string, string[]>> {
  const found = await findContainers(connect(engineAddress(env)), system)
  const names = new Map<string, string[]>()
  for (const { service, id, name } of found) {
    names.set(service.name, [...(names.get(service.name) ?? []), `${id} (container ${name})`])
  }
  return names
}
