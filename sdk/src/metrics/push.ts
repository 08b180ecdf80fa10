import { inspect } from 'node:util'
import type { Notice } from '../notice.ts'
import { type Delivery, settledWithin } from '../otlp/queue.ts'
import type { Metric } from './metric.ts'

/** Where all metrics go, again and again. `send` never rejects. */
export interface MetricDestination {
  readonly name: string
  send(metrics: readonly Metric[], timeoutMs: number): Promise<Delivery>
  close(): void
}

export interface PushOptions {
  intervalMs: number
  /** For collecting and sending together. */
  timeoutMs: number
}

const backoffMs = { first: 1_000, longest: 30_000 }

/**
 * Sends all metrics at an interval. They are cumulative, so nothing has to wait for a destination that is away: what
 * comes next says it all. Until it is back, the next attempt comes sooner than the interval.
 */
export class MetricPush {
  sent = 0
  failed = 0
  lastFailure: string | undefined
  readonly destination: MetricDestination
  readonly #collect: () => Promise<Metric[]>
  readonly #options: PushOptions
  readonly #notice: Notice
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #backoff = 0
  #closed = false

  constructor(destination: MetricDestination, collect: () => Promise<Metric[]>, options: PushOptions, notice: Notice) {
    this.destination = destination
    this.#collect = collect
    this.#options = options
    this.#notice = notice
    this.#schedule()
  }

  get down(): boolean {
    return this.#backoff > 0
  }

  /** One more sending with the last values, for at most `deadlineMs`. */
  async flush(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    if (this.#sending) await settledWithin(this.#sending, deadlineMs)
    const left = end - performance.now()
    if (left > 0 && !this.#closed) await settledWithin(this.#send(left), left)
  }

  async close(deadlineMs: number): Promise<void> {
    await this.flush(deadlineMs)
    this.#closed = true
    clearTimeout(this.#timer)
    this.destination.close()
  }

  #schedule(): void {
    clearTimeout(this.#timer)
    if (this.#closed) return
    const { intervalMs, timeoutMs } = this.#options
    const delayMs = this.down ? Math.min(intervalMs, this.#backoff) : intervalMs
    this.#timer = setTimeout(() => void this.#send(timeoutMs), delayMs)
    this.#timer.unref()
  }

  #send(timeoutMs: number): Promise<void> {
    this.#sending ??= this.#attempt(timeoutMs).then(delivery => {
      this.#sending = undefined
      this.#settle(delivery)
      this.#schedule()
    })
    return this.#sending
  }

  async #attempt(timeoutMs: number): Promise<Delivery> {
    const end = performance.now() + timeoutMs
    const { promise: late, resolve } = Promise.withResolvers<undefined>()
    const timer = setTimeout(() => resolve(undefined), timeoutMs).unref()
    try {
      const metrics = await Promise.race([this.#collect(), late])
      if (!metrics) return { outcome: 'retry', reason: `the metrics were not collected within ${timeoutMs} ms` }
      return await this.destination.send(metrics, Math.max(1, end - performance.now()))
    } catch (error) {
      return { outcome: 'retry', reason: String(error) }
    } finally {
      clearTimeout(timer)
    }
  }

  #settle(delivery: Delivery): void {
    if (delivery.outcome === 'sent') {
      this.sent++
      if (delivery.rejected > 0) this.#notice(`${this.destination.name} rejected ${delivery.rejected} data points`)
      if (this.down) this.#notice(`${this.destination.name} works again; it has the metrics up to now`)
      this.#backoff = 0
      this.lastFailure = undefined
      return
    }
    this.failed++
    this.lastFailure = delivery.reason
    if (!this.down)
      this.#notice(`${this.destination.name} fails: ${delivery.reason}; metrics go on being counted meanwhile`)
    this.#backoff = Math.min(backoffMs.longest, this.#backoff === 0 ? backoffMs.first : this.#backoff * 2)
  }
}

/** `OTEL_METRICS_EXPORTER=console`: for trying things out, one inspected object a metric on stdout. */
export class ConsoleMetrics implements MetricDestination {
  readonly name = 'the console'

  async send(metrics: readonly Metric[]): Promise<Delivery> {
    for (const { name, unit, scope, data } of metrics) {
      process.stdout.write(`${inspect({ name, unit, scope: scope.name, ...data }, { depth: 4 })}\n`)
    }
    return { outcome: 'sent', rejected: 0 }
  }

  close(): void {}
}
