import { constants } from 'node:os'
import { variable } from '@shaketable/sdk/names'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Container, default as Docker } from 'dockerode'
import type { Journal } from '../../conduct/journal.ts'
import type { Clock } from '../../world.ts'
import { isReady } from '../local/ready.ts'
import type { Instance, InstanceEvent } from '../target.ts'
import { type EngineAddress, statusOf } from './engine.ts'
import { environmentOf, type FoundContainer, losesItself, published } from './find-containers.ts'
import { type Limits, limitsFor, type Wanted } from './limits.ts'
import { disconnect, type Membership, membershipsOf, reconnect } from './networks.ts'
import { restore } from './restore.ts'
import type { ShakenContainer } from './shaken.ts'

const pollMs = 50
const endsWithinMs = 10_000
const pauseAttempts = 5

export interface DockerInstanceOptions {
  found: FoundContainer
  container: Container
  docker: Docker
  engine: EngineAddress
  /** For a container that does not carry its fault key in its environment. */
  faultKey: string | undefined
  journal: Journal
  clock: Clock
  emit(event: InstanceEvent): void
}

interface Life {
  pid: number
  frozen: boolean
  ended: Promise<void>
  end(): void
}

/**
 * One container that was there before us. What a fault stops is started again after its restart delay, by us: the engine takes a
 * kill through its API for the operator's wish, and leaves its restart policy aside.
 */
export class DockerInstance implements Instance {
  readonly id: string
  readonly service: string
  /** Where it takes requests, if that port is published. */
  readonly url: string | undefined
  readonly adminUrl: string | undefined
  readonly faultControl: { url: string; key: string } | undefined
  /** Why it may not be stopped, or `undefined`. */
  readonly losesItself: string | undefined
  readonly #options: DockerInstanceOptions
  readonly #stopping = new AbortController()
  #life: Life | undefined
  #shaken = false
  #memberships: Membership[] | undefined
  #limits: Limits | undefined
  #startedAgain: Promise<void> = Promise.resolve()

  constructor(options: DockerInstanceOptions) {
    const { found, engine } = options
    const env = environmentOf(found.seen)
    const at = (port: string | number | undefined) => published(found.seen, Number(port), engine)
    const withSdk = found.service.ready !== 'tcp'
    const adminPort = Number(env.OTEL_EXPORTER_PROMETHEUS_PORT ?? 9464)
    const faults = env[variable.faults] === 'on' ? at(env[variable.faultsPort]) : undefined
    const key = env[variable.faultsKey] ?? options.faultKey
    const own = [adminPort, Number(env[variable.faultsPort])].map(port => `${port}/tcp`)
    const others = Object.keys(found.seen.NetworkSettings.Ports).filter(port => !own.includes(port))
    const takes = at(
      found.docker.port ?? env.PORT ?? (others.length === 1 ? Number.parseInt(others[0]!, 10) : undefined),
    )
    const admin = withSdk ? at(adminPort) : undefined

    this.id = found.id
    this.service = found.service.name
    this.url = takes && `${withSdk ? 'http' : 'tcp'}://${takes}`
    this.adminUrl = admin && `http://${admin}`
    this.faultControl = faults && key ? { url: `http://${faults}`, key } : undefined
    this.losesItself = losesItself(found.seen)
    this.#options = options
    this.#begins(found.seen.State.Pid)
  }

  get pid(): number | undefined {
    return this.#life?.pid
  }

  get container(): string {
    return this.#options.found.seen.Id
  }

  get name(): string {
    return this.#options.found.name
  }

  async crash(): Promise<void> {
    const life = this.#life
    if (!life) return
    await this.#shaking()
    await this.#kill('SIGKILL')
    await this.#ends(life, endsWithinMs)
    this.#startAgain()
  }

  async terminate(graceMs: number): Promise<void> {
    if (!this.#life) return
    await this.takeDown(graceMs)
    this.#startAgain()
  }

  /** The image's own stop signal (SIGTERM where it names none), and SIGKILL after the grace. */
  async takeDown(graceMs: number): Promise<void> {
    const life = this.#life
    if (!life) return
    const { clock, found } = this.#options
    const { StopSignal: stopSignal = 'SIGTERM' } = found.seen.Config as { StopSignal?: string }
    await this.#shaking()
    await this.#kill(stopSignal)
    const overtaken = new AbortController()
    const grace = clock.sleep(graceMs, overtaken.signal).then(
      () => this.#kill('SIGKILL'),
      () => {},
    )
    await this.#ends(life, graceMs + endsWithinMs)
    overtaken.abort()
    await grace
  }

  async bringUp(): Promise<void> {
    if (this.#shaken) await this.#restore()
  }

  /** The engine's pause: its cgroup is frozen, whatever runs in it. */
  async freeze(): Promise<void> {
    const life = this.#life
    if (!life)
      throw new ShaketableError('SHAKETABLE_INSTANCE_DOWN', `${this.id} is down, so there is nothing to freeze`)
    await this.#shaking()
    await this.#pause()
    life.frozen = true
    this.#emit('frozen')
  }

  async resume(): Promise<void> {
    const life = this.#life
    if (!life?.frozen) return
    await this.#restore()
    life.frozen = false
    this.#emit('resumed')
  }

  async disconnect(): Promise<void> {
    const { container, docker } = this.#options
    const memberships = membershipsOf(await container.inspect())
    if (memberships.length === 0) {
      const words = `${this.id} (container ${this.name}) is on no network from which it could be taken`
      throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', words)
    }
    await this.#shaking({ memberships })
    this.#memberships = memberships
    await disconnect(docker, this.container, memberships)
    this.#emit('frozen', 'disconnected from its networks')
  }

  async reconnect(): Promise<void> {
    const memberships = this.#memberships
    if (!memberships) return
    await this.#proven(() => reconnect(this.#options.docker, this.container, memberships))
    this.#memberships = undefined
    await this.#restored({ memberships })
    this.#emit('resumed', 'connected to its networks again')
  }

  async limit(to: Wanted): Promise<void> {
    const { container } = this.#options
    const seen = await container.inspect()
    let change: ReturnType<typeof limitsFor>
    try {
      change = limitsFor(seen, to)
    } catch (cause) {
      const words = `${this.id} (container ${this.name}) ${(cause as Error).message}`
      throw new ShaketableError('SHAKETABLE_FAULT_REFUSED', words, { cause })
    }
    const { limits, undo } = change
    await this.#shaking({ limits: undo })
    this.#limits = undo
    await container.update(limits)
  }

  async unlimit(): Promise<void> {
    const limits = this.#limits
    if (!limits) return
    await this.#proven(() => this.#options.container.update(limits))
    this.#limits = undefined
    await this.#restored({ limits })
  }

  /** Undoes what was done to it, and proves it. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#startedAgain
    await this.reconnect()
    await this.unlimit()
    if (this.#shaken) await this.#restore()
  }

  /** The engine tells that its process ended. */
  ended(exitStatus: number): void {
    const life = this.#life
    if (!life) return
    this.#life = undefined
    this.#emit('exited', howItEnded(exitStatus))
    life.end()
  }

  /** The engine tells that it was started. */
  async started(): Promise<void> {
    const { State: state } = await this.#options.container.inspect()
    if (!state.Running || this.#life) return
    const life = this.#begins(state.Pid)
    this.#emit('started')
    this.#becomesReady(life, this.#stopping.signal).catch(() => {})
  }

  /** Resolves when it is ready; rejects with the signal's reason. */
  async ready(signal: AbortSignal): Promise<void> {
    this.#emit('started', `found running as ${this.name}`)
    if (this.#life) await this.#becomesReady(this.#life, signal)
    signal.throwIfAborted()
  }

  #begins(pid: number): Life {
    const { promise: ended, resolve: end } = Promise.withResolvers<void>()
    this.#life = { pid, frozen: false, ended, end }
    return this.#life
  }

  /** Without a published port, a database-like service counts as ready while it runs. */
  async #becomesReady(life: Life, signal: AbortSignal): Promise<void> {
    const { found, clock } = this.#options
    const { hostname, port } = new URL(this.url ?? 'tcp://unpublished:1')
    const probe = this.adminUrl
      ? { url: `${this.adminUrl}${found.service.ready}` }
      : { tcpPort: Number(port), host: hostname }
    while (!signal.aborted && this.#life === life) {
      const ready = !(this.adminUrl ?? this.url) || (await isReady(probe))
      // Either may have ended while the probe was under way.
      if (signal.aborted || this.#life !== life) return
      if (ready) return this.#emit('ready')
      await clock.sleep(pollMs, signal).catch(() => {})
    }
  }

  /** On disk before it is done: from here on the keeper and `sweep` would restore it. */
  async #shaking(what: Pick<ShakenContainer, 'memberships' | 'limits'> = {}): Promise<void> {
    const { journal, engine } = this.#options
    if (!what.memberships && !what.limits) this.#shaken = true
    const { id: instance, name, container } = this
    await journal.append({ type: 'container-shaking', instance, name, container, engine, ...what })
  }

  async #restored(what: Pick<ShakenContainer, 'memberships' | 'limits'> = {}): Promise<void> {
    const { id: instance, container } = this
    await this.#options.journal.append({ type: 'container-restored', instance, container, ...what })
  }

  async #restore(): Promise<void> {
    await this.#proven(() => restore(this.#options.container, this.#options.clock))
    this.#shaken = false
    await this.#restored()
  }

  async #proven(undo: () => Promise<unknown>): Promise<void> {
    try {
      await undo()
    } catch (cause) {
      const words = `${this.id} (container ${this.name}) ${(cause as Error).message}`
      throw new ShaketableError('SHAKETABLE_NOT_UNDONE', words, {
        exitCode: exitCode.notUndone,
        hint: 'shaketable sweep tries again',
        cause,
      })
    }
  }

  #startAgain(): void {
    const { clock, found } = this.#options
    this.#startedAgain = clock
      .sleep(found.docker.restartDelayMs, this.#stopping.signal)
      .then(() => this.#restore())
      .catch(error => {
        // `stop` restores it, and tells if it cannot.
        if (!this.#stopping.signal.aborted) this.#emit('exited', `not started again: ${error.message}`)
      })
  }

  /** On a busy machine runc may not catch all processes of a cgroup at once: it lets them go, and is asked again. */
  async #pause(): Promise<void> {
    const { container, clock } = this.#options
    for (let left = pauseAttempts; ; ) {
      try {
        await container.pause()
        return
      } catch (error) {
        if (--left === 0 || !/unable to freeze/.test((error as Error).message)) throw error
        await clock.sleep(pollMs)
      }
    }
  }

  async #kill(signal: string): Promise<void> {
    try {
      await this.#options.container.kill({ signal })
    } catch (error) {
      // It is not running any more.
      if (statusOf(error) !== 409) throw error
    }
  }

  async #ends(life: Life, withinMs: number): Promise<void> {
    const ended = new AbortController()
    const tooLate = this.#options.clock.sleep(withinMs, ended.signal).then(
      () => {
        throw new Error(`${this.id} (container ${this.name}) has not ended within ${withinMs} ms of its signal`)
      },
      () => {},
    )
    await Promise.race([life.ended, tooLate]).finally(() => ended.abort())
  }

  #emit(kind: InstanceEvent['kind'], detail?: string): void {
    this.#options.emit({ at: this.#options.clock.now(), instance: this.id, kind, detail })
  }
}

/** 137 is SIGKILL: the engine tells a signal as 128 and its number. */
function howItEnded(status: number): string {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)
  return signal?.[0] ?? `exit code ${status}`
}
