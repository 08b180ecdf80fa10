import { randomUUID } from 'node:crypto'
import { createHistogram } from 'node:perf_hooks'
import { Exchange, type Outcome } from './exchange.ts'
import type { LoadHealth, LoadPlan, LoadSample } from './load.ts'
import { Origins } from './origins.ts'
import { type PreparedStep, prepareStep } from './prepared-step.ts'
import type { Values } from './template.ts'

/** How often what is overdue is looked for, in ms. */
const sweepEveryMs = 10

/**
 * The arrivals of one plan: the k-th is due at `begin + k / rate`, whatever became of those before it; `keepPace` has them come.
 * All times are ms of `performance.now()`.
 */
export class Arrivals {
  readonly plan: LoadPlan
  readonly #setup: PreparedStep[]
  readonly #steps: PreparedStep[]
  readonly #origins: Origins
  readonly #onSample: (sample: LoadSample) => void
  /** In µs. Each figure more takes eight times the memory. */
  readonly #lateness = createHistogram({ lowest: 1, highest: 3_600_000_000, figures: 2 })
  /** In the order of their start, which is nearly that of their deadlines. */
  readonly #open = new Set<Exchange>()
  readonly #idle = Promise.withResolvers<void>()
  #shared: Values = {}
  #beganAt = Number.POSITIVE_INFINITY
  #sweeper: NodeJS.Timeout | undefined
  #ending = false
  #planned = 0
  #started = 0
  #dropped = 0
  #greatestInFlight = 0

  /** Throws, naming what is missing, where the journey needs a URL or a value that it cannot have. */
  constructor(plan: LoadPlan, onSample: (sample: LoadSample) => void) {
    this.plan = plan
    this.#onSample = onSample
    const { setup, steps } = plan.journey
    this.#origins = new Origins(plan.urls, new Set([...setup, ...steps].map(({ request }) => request.to)))
    this.#setup = setup.map(prepareStep)
    this.#steps = steps.map(prepareStep)
    this.#check()
  }

  /** Runs the journey's setup once; rejects with what was seen where a step did not get what it expects. */
  async prepare(): Promise<void> {
    this.#sweeper = setInterval(() => this.#sweep(), sweepEveryMs)
    let values: Values = { uuid: randomUUID(), seq: 0 }
    for (const [index, prepared] of this.#setup.entries()) {
      const { step } = prepared
      const outcome = await new Promise<Outcome>(resolve => this.#send(prepared, values, performance.now(), resolve))
      if (!outcome.ok) {
        const seen = outcome.error ?? `status ${outcome.status}`
        const { url } = this.#origins.of(step.request.to, 0)
        throw new Error(
          `setup step ${index + 1} of journey ${this.plan.journey.name}, ${step.request.method} ${url}${prepared.path.fill(values)}: ` +
            `expected status ${step.expect.status.join(' or ')}, saw ${seen}${outcome.said ? `: ${outcome.said}` : ''}`,
        )
      }
      this.#shared = { ...this.#shared, ...outcome.captured }
      values = { ...values, ...outcome.captured }
    }
  }

  begin(): void {
    this.#beganAt = performance.now()
  }

  /** When the next arrival is due. */
  get due(): number {
    return this.#ending ? Number.POSITIVE_INFINITY : this.#beganAt + (this.#planned * 1000) / this.plan.ratePerSecond
  }

  get inFlight(): number {
    return this.#open.size
  }

  /** Starts the arrival that is due; without room for it it is dropped, and counted. */
  arrive(now: number, room: boolean): void {
    const { due } = this
    const seq = this.#planned++
    if (!room) {
      this.#dropped++
      return
    }
    this.#started++
    this.#lateness.record(Math.max(1, Math.round((now - due) * 1000)))
    this.#walk({ ...this.#shared, uuid: randomUUID(), seq }, 0, due)
  }

  /** No more arrivals; resolves when none is in flight, at the latest when the last arrival's timeout is over. */
  async end(): Promise<void> {
    this.#ending = true
    const giveUp = setTimeout(
      () => {
        for (const exchange of this.#open) exchange.giveUp('stopped')
      },
      this.plan.timeoutMs + 5 * sweepEveryMs,
    )
    if (this.#open.size > 0) await this.#idle.promise
    clearTimeout(giveUp)
    clearInterval(this.#sweeper)
    await this.#origins.close()
  }

  health(): LoadHealth {
    return {
      planned: this.#planned,
      started: this.#started,
      latenessP99Ms: this.#started === 0 ? 0 : this.#lateness.percentile(99) / 1000,
      latenessMaxMs: this.#started === 0 ? 0 : this.#lateness.max / 1000,
      dropped: this.#dropped,
      greatestInFlight: this.#greatestInFlight,
    }
  }

  /** Takes one step of an arrival, and then the next. */
  #walk(values: Values & { seq: number }, index: number, at: number): void {
    const { journey, timeoutMs } = this.plan
    this.#send(
      this.#steps[index]!,
      values,
      at,
      outcome => {
        // Given up because the run is over: nothing is known about it.
        if (outcome.error === 'stopped') return
        const latencyMs = outcome.endedAt - at
        this.#onSample({
          at,
          latencyMs: outcome.error === 'timeout' ? Math.max(timeoutMs, latencyMs) : latencyMs,
          journey: journey.name,
          step: index,
          status: outcome.status,
          error: outcome.error,
          ok: outcome.ok,
        })
        if (outcome.ok && index + 1 < this.#steps.length) {
          this.#walk({ ...values, ...outcome.captured }, index + 1, outcome.endedAt)
        }
      },
      values.seq,
    )
  }

  #send(prepared: PreparedStep, values: Values, at: number, done: (outcome: Outcome) => void, arrival = 0): void {
    const exchange = new Exchange(prepared, at + this.plan.timeoutMs, outcome => {
      this.#open.delete(exchange)
      done(outcome)
      if (this.#ending && this.#open.size === 0) this.#idle.resolve()
    })
    this.#open.add(exchange)
    this.#greatestInFlight = Math.max(this.#greatestInFlight, this.#open.size)
    exchange.send(this.#origins.of(prepared.step.request.to, arrival), values)
  }

  #sweep(): void {
    const now = performance.now()
    for (const exchange of this.#open) {
      if (exchange.deadline > now) break
      exchange.giveUp('timeout')
    }
  }

  #check(): void {
    const { name } = this.plan.journey
    const known = new Set(['uuid', 'seq'])
    for (const { step, names } of [...this.#setup, ...this.#steps]) {
      const request = `${step.request.method} ${step.request.path} of journey ${name}`
      if (!this.#origins.has(step.request.to)) {
        throw new Error(`${request} goes to ${step.request.to}, of which no http URL is known`)
      }
      for (const missing of names) {
        if (!known.has(missing)) throw new Error(`${request} needs \${${missing}}, which no earlier step captures`)
      }
      for (const captured of Object.keys(step.capture)) known.add(captured)
    }
  }
}
