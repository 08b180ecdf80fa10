import { spawn } from 'node:child_process'
import { closeSync, openSync } from 'node:fs'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { Journal } from '../../conduct/journal.ts'
import type { LocalProcess, Service } from '../../experiment/model.ts'
import type { Clock } from '../../world.ts'
import type { Instance, InstanceEvent } from '../target.ts'
import { host, type InstancePorts } from './environment.ts'
import { type ProcessIdentity, seeProcess, signalGroup, signalProcess } from './process-table.ts'
import { isReady } from './ready.ts'

const pollMs = 50
const provenWithinMs = 2000

export interface LocalInstanceOptions {
  id: string
  service: Service
  local: LocalProcess
  ports: InstancePorts
  faultKey: string
  cwd: string
  env: NodeJS.ProcessEnv
  logFile: string
  journal: Journal
  clock: Clock
  emit(event: InstanceEvent): void
}

interface Life {
  identity: ProcessIdentity
  ready: boolean
  frozen: boolean
  /** How it ended, e.g. `exit code 1` or `SIGKILL`. */
  ended: Promise<string>
}

/**
 * One process of a service, in a process group of its own, started again after its restart delay whenever it dies. Signals
 * go where Kubernetes' would: SIGTERM to the leader alone, which is the container's first process; and when the leader
 * ends, by whatever cause, what is left of its group is killed.
 */
export class LocalInstance implements Instance {
  readonly id: string
  readonly service: string
  readonly url: string
  readonly adminUrl: string | undefined
  readonly faultControl: { url: string; key: string } | undefined
  readonly logFile: string
  readonly graceMs: number
  /** Without the SDK nothing says when work is done: databases and their like, which others lean on to the last. */
  readonly isBackingService: boolean
  /** Every process that it has been, for the proof that none is left. */
  readonly lives: ProcessIdentity[] = []
  readonly #options: LocalInstanceOptions
  readonly #stopping = new AbortController()
  #life: Life | undefined
  #keptAlive: Promise<void> = Promise.resolve()
  /** While it is to stay down. */
  #down: PromiseWithResolvers<void> | undefined

  constructor(options: LocalInstanceOptions) {
    const { id, service, ports, faultKey } = options
    this.id = id
    this.service = service.name
    this.logFile = options.logFile
    this.graceMs = options.local.graceMs
    this.isBackingService = service.ready === 'tcp'
    this.url = `${this.isBackingService ? 'tcp' : 'http'}://${host}:${ports.http}`
    this.adminUrl = ports.admin === undefined ? undefined : `http://${host}:${ports.admin}`
    this.faultControl =
      ports.faults === undefined ? undefined : { url: `http://${host}:${ports.faults}`, key: faultKey }
    this.#options = options
  }

  get pid(): number | undefined {
    return this.#life?.identity.pid
  }

  /** Resolves when it is ready; rejects with how it ended if it ends before that, or with the signal's reason. */
  async start(signal: AbortSignal): Promise<void> {
    const life = await this.#spawn()
    if (!life) throw new ShaketableError('SHAKETABLE_STOPPED', `${this.id} was stopped before it was started`)
    this.#keptAlive = this.#keepAlive(life)
    await this.#becomesReady(life, signal)
    if (life.ready) return
    signal.throwIfAborted()
    throw new ExitedEarly(await life.ended)
  }

  async crash(): Promise<void> {
    const life = this.#life
    if (!life) return
    signalGroup(life.identity, 'SIGKILL')
    await life.ended
  }

  async terminate(graceMs: number): Promise<void> {
    const life = this.#life
    if (!life) return
    signalProcess(life.identity, 'SIGTERM')
    const overtaken = new AbortController()
    const grace = this.#options.clock.sleep(graceMs, overtaken.signal).then(
      () => signalGroup(life.identity, 'SIGKILL'),
      () => {},
    )
    await life.ended
    overtaken.abort()
    await grace
  }

  async takeDown(graceMs: number): Promise<void> {
    this.#down ??= Promise.withResolvers()
    await this.terminate(graceMs)
  }

  async bringUp(): Promise<void> {
    if (!this.#down) return
    this.#down.resolve()
    this.#down = undefined
    const { clock, local } = this.#options
    const until = clock.now() + local.restartDelayMs + provenWithinMs
    while (!this.#life && !this.#stopping.signal.aborted) {
      if (clock.now() > until) {
        const words = `${this.id} was taken down, and is not started again`
        throw new ShaketableError('SHAKETABLE_NOT_UNDONE', words, { exitCode: exitCode.notUndone })
      }
      await clock.sleep(pollMs, this.#stopping.signal).catch(() => {})
    }
  }

  /** SIGSTOP to the whole group; resolves when the kernel shows it stopped. */
  async freeze(): Promise<void> {
    const life = this.#life
    if (!life || !signalGroup(life.identity, 'SIGSTOP')) {
      throw new ShaketableError('SHAKETABLE_INSTANCE_DOWN', `${this.id} is down, so there is nothing to freeze`)
    }
    life.frozen = true
    await this.#proves(life, true)
    this.#emit('frozen')
  }

  /** SIGCONT; resolves when the kernel shows it going. One that is down or was not frozen needs nothing. */
  async resume(): Promise<void> {
    const life = this.#life
    if (!life?.frozen) return
    signalGroup(life.identity, 'SIGCONT')
    await this.#proves(life, false)
    life.frozen = false
    this.#emit('resumed')
  }

  /** No more restarts; resumes it if frozen, and terminates it within its grace. Idempotent. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.resume().catch(() => {})
    await this.terminate(this.graceMs)
    await this.#keptAlive
  }

  /** No more restarts from here on. */
  letGo(): void {
    this.#stopping.abort()
  }

  async #keepAlive(first: Life): Promise<void> {
    const { clock, local, emit } = this.#options
    const stopping = this.#stopping.signal
    const aborted = new Promise(resolve => stopping.addEventListener('abort', resolve, { once: true }))
    for (let life: Life | undefined = first; life; ) {
      await life.ended
      if (stopping.aborted) return
      await clock.sleep(local.restartDelayMs, stopping).catch(() => {})
      await Promise.race([this.#down?.promise, aborted])
      try {
        life = await this.#spawn()
      } catch (error) {
        emit({
          at: clock.now(),
          instance: this.id,
          kind: 'exited',
          detail: `not started again: ${(error as Error).message}`,
        })
        return
      }
      if (life) this.#becomesReady(life, stopping).catch(() => {})
    }
  }

  /** Announced in the journal before it is done. `undefined` once it is to stop. */
  async #spawn(): Promise<Life | undefined> {
    const { journal, local, env, cwd, logFile } = this.#options
    await journal.append({ type: 'process-starting', instance: this.id })
    if (this.#stopping.signal.aborted) return undefined

    const [command, ...args] = local.command as [string, ...string[]]
    const log = openSync(logFile, 'a')
    const child = spawn(command === 'node' ? process.execPath : command, args, {
      cwd,
      env,
      detached: true,
      stdio: ['ignore', log, log],
    })
    closeSync(log)
    const exited = new Promise<string>((resolve, reject) => {
      child.on('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      child.on('error', reject)
    })
    const { pid } = child
    if (pid === undefined) {
      return exited.then(undefined, cause => {
        throw new ShaketableError('SHAKETABLE_START_FAILED', `${this.id}: ${command} cannot be run: ${cause.message}`, {
          exitCode: exitCode.void,
          cause,
          hint: `its command starts in ${cwd}`,
        })
      }) as Promise<never>
    }

    const identity = { pid, startTime: seeProcess(pid)?.startTime ?? '' }
    const life: Life = { identity, ready: false, frozen: false, ended: exited.then(detail => this.#end(life, detail)) }
    this.#life = life
    this.lives.push(identity)
    this.#emit('started')
    await journal.append({ type: 'process-started', instance: this.id, ...identity, pgid: pid })
    return life
  }

  async #end(life: Life, detail: string): Promise<string> {
    const { pid } = life.identity
    this.#life = undefined
    killRestOfGroup(pid)
    this.#emit('exited', detail)
    await this.#options.journal.append({ type: 'process-ended', instance: this.id, pid }).catch(() => {})
    return detail
  }

  async #becomesReady(life: Life, signal: AbortSignal): Promise<void> {
    const { service, ports, clock } = this.#options
    const probe = this.adminUrl ? { url: `${this.adminUrl}${service.ready}` } : { tcpPort: ports.http }
    while (!signal.aborted && this.#life === life) {
      const ready = await isReady(probe)
      // Either may have ended while the probe was under way.
      if (signal.aborted || this.#life !== life) return
      if (ready) {
        life.ready = true
        this.#emit('ready')
        return
      }
      await clock.sleep(pollMs, signal).catch(() => {})
    }
  }

  async #proves(life: Life, stopped: boolean): Promise<void> {
    const { clock } = this.#options
    const until = clock.now() + provenWithinMs
    while (this.#life === life && seeProcess(life.identity.pid)?.stopped !== stopped) {
      if (clock.now() > until) {
        throw new ShaketableError(
          'SHAKETABLE_NOT_UNDONE',
          `${this.id} (pid ${life.identity.pid}) is ${stopped ? 'not frozen' : 'still frozen'} ${provenWithinMs} ms after its signal`,
          { exitCode: exitCode.notUndone },
        )
      }
      await clock.sleep(5)
    }
  }

  #emit(kind: InstanceEvent['kind'], detail?: string): void {
    this.#options.emit({ at: this.#options.clock.now(), instance: this.id, kind, detail })
  }
}

/** The instance ended before it was ready. The message is how, e.g. `exit code 1`. */
export class ExitedEarly extends Error {}

/**
 * The leader has been collected, so its pid proves nothing. But the kernel gives no pid away while a group bears its number, and
 * a new group of that number would need a leader of that pid: if there is none, the group is still ours.
 */
function killRestOfGroup(pgid: number): void {
  if (seeProcess(pgid)) return
  try {
    process.kill(-pgid, 'SIGKILL')
  } catch {
    // Nobody was left.
  }
}
