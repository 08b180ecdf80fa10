import { type ChildProcess, fork } from 'node:child_process'
import { extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { World } from '../world.ts'
import type { LoadHealths, LoadPlan, LoadSample, RunningLoad } from './load.ts'
import { samplesOf } from './sample-batch.ts'
import { type FromWorker, machineClock, type ToWorker } from './wire.ts'

// `worker.ts` from source, `worker.js` once built.
const worker = fileURLToPath(new URL(`./worker${extname(import.meta.url)}`, import.meta.url))
/** How long after the last timeout the load process may take to report. */
const reportWithinMs = 5000

/**
 * Starts open-loop load in a process of its own, so that nothing the runner does can delay an arrival. Each journey's
 * setup has run when this resolves; the first arrival is due then. Rejects with `SHAKETABLE_LOAD_REFUSED` where a setup
 * step did not get what it expects, with what was seen, and with the signal's reason when the world's signal aborts
 * before. The process ends by itself when the runner does, and is out of reach of the terminal's Ctrl-C: the runner decides.
 */
export async function startLoad(plans: LoadPlan[], world: World): Promise<RunningLoad> {
  world.signal.throwIfAborted()
  const child = fork(worker, [], {
    execPath: process.execPath,
    // Little survives a request; V8 would let its young generation grow to 128 MB all the same.
    execArgv: ['--max-semi-space-size=4'],
    // A process group of its own: Ctrl-C in a terminal goes to the runner's.
    detached: true,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  })
  const load = new LoadProcess(child, Math.max(0, ...plans.map(plan => plan.timeoutMs)))
  try {
    await load.start({ type: 'start', plans, clockOffsetMs: world.clock.now() - machineClock() }, world.signal)
  } catch (error) {
    child.kill('SIGKILL')
    throw error
  }
  return load
}

class LoadProcess implements RunningLoad {
  readonly #child: ChildProcess
  readonly #timeoutMs: number
  readonly #listeners: ((samples: LoadSample[]) => void)[] = []
  readonly #exited: Promise<string>
  #early: LoadSample[] = []
  #lastWords = ''
  #stopping: Promise<LoadHealths> | undefined

  constructor(child: ChildProcess, timeoutMs: number) {
    this.#child = child
    this.#timeoutMs = timeoutMs
    this.#exited = new Promise(resolve => {
      child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`))
      child.once('error', error => resolve(error.message))
    })
    child.stderr?.on('data', chunk => {
      this.#lastWords = `${this.#lastWords}${chunk}`.slice(-2000)
    })
    child.on('message', (message: FromWorker) => {
      if (message.type === 'samples') this.#deliver(samplesOf(message.samples))
    })
  }

  async start(message: ToWorker, signal: AbortSignal): Promise<void> {
    const aborted = Promise.withResolvers<never>()
    const abort = () => aborted.reject(signal.reason)
    signal.addEventListener('abort', abort, { once: true })
    try {
      this.#child.send(message)
      await Promise.race([this.#hears('running'), aborted.promise])
    } finally {
      signal.removeEventListener('abort', abort)
    }
  }

  onSamples(listener: (samples: LoadSample[]) => void): void {
    this.#listeners.push(listener)
    if (this.#early.length > 0) listener(this.#early)
    this.#early = []
  }

  stop(): Promise<LoadHealths> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<LoadHealths> {
    const done = this.#hears('done')
    if (this.#child.connected) this.#child.send({ type: 'stop' } satisfies ToWorker)
    const overdue = setTimeout(() => this.#child.kill('SIGKILL'), this.#timeoutMs + reportWithinMs)
    try {
      const { health } = await done
      return health
    } finally {
      clearTimeout(overdue)
      if (this.#child.connected) this.#child.disconnect()
      await this.#exited
    }
  }

  #deliver(samples: LoadSample[]): void {
    if (this.#listeners.length === 0) this.#early.push(...samples)
    for (const listener of this.#listeners) listener(samples)
  }

  /** The next message of a type; rejects when the process refuses its plans or ends. */
  #hears<T extends FromWorker['type']>(type: T): Promise<Extract<FromWorker, { type: T }>> {
    return new Promise((resolve, reject) => {
      const hear = (message: FromWorker) => {
        if (message.type === type) resolve(message as Extract<FromWorker, { type: T }>)
        if (message.type === 'refused') {
          reject(
            new ShaketableError('SHAKETABLE_LOAD_REFUSED', `the load could not start: ${message.reason}`, {
              exitCode: exitCode.void,
            }),
          )
        }
      }
      this.#child.on('message', hear)
      void this.#exited.then(how => {
        this.#child.off('message', hear)
        const words = this.#lastWords.trim()
        reject(
          new ShaketableError('SHAKETABLE_LOAD_DIED', `the load process ended (${how})${words ? `: ${words}` : ''}`, {
            exitCode: exitCode.void,
          }),
        )
      })
    })
  }
}
