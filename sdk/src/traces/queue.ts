import type { Notice } from '../notice.ts'
import type { LastMessage } from './last-moment.ts'
import type { RecordedSpan } from './span.ts'

/** What became of a batch. `retry`: it stays in the queue; `refused`: it would be refused again, so it is dropped. */
export type Delivery = { outcome: 'sent'; rejected: number } | { outcome: 'retry' | 'refused'; reason: string }

/** Where batches go. `send` never rejects. */
export interface SpanDestination {
  readonly name: string
  send(spans: readonly RecordedSpan[], timeoutMs: number): Promise<Delivery>
  close(): void
  /** One request that takes all of the spans: what a crash hands to its last-moment sender. */
  encode?(spans: readonly RecordedSpan[]): LastMessage
}

export interface QueueOptions {
  /** Spans; when it is full, new spans are dropped and counted. */
  maxQueueSize: number
  maxBatchSize: number
  delayMs: number
  /** For one batch. */
  timeoutMs: number
}

const backoffMs = { first: 1_000, longest: 30_000 }

/**
 * The one bounded queue before the one destination. Every span that enters is in the end counted once, as sent or as
 * dropped: made = sent + dropped + waiting, at every moment.
 */
export class SpanQueue {
  made = 0
  sent = 0
  dropped = 0
  lastFailure: string | undefined
  readonly destination: SpanDestination
  readonly #options: QueueOptions
  readonly #notice: Notice
  #waiting: RecordedSpan[] = []
  #inFlight = 0
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #backoff = 0
  #droppedWhileDown = 0
  #closed = false

  constructor(destination: SpanDestination, options: QueueOptions, notice: Notice) {
    this.destination = destination
    this.#options = options
    this.#notice = notice
  }

  get waiting(): number {
    return this.#waiting.length + this.#inFlight
  }

  get down(): boolean {
    return this.#backoff > 0
  }

  add(span: RecordedSpan): void {
    this.made++
    if (this.#closed || this.waiting >= this.#options.maxQueueSize) {
      this.dropped++
      if (this.down) this.#droppedWhileDown++
      return
    }
    this.#waiting.push(span)
    if (this.#sending) return
    if (this.#waiting.length >= this.#options.maxBatchSize && !this.down) this.#schedule(0)
    else if (!this.#timer) this.#schedule(this.down ? this.#backoff : this.#options.delayMs)
  }

  /** Sends what waits, for at most `deadlineMs`. What then still waits stays. */
  async flush(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    if (this.#sending) await settledWithin(this.#sending, deadlineMs)
    while (this.#waiting.length > 0 && !this.#sending) {
      const left = end - performance.now()
      if (left <= 0) return
      const before = this.waiting
      await this.#send(left)
      if (this.waiting >= before && this.down) return
    }
  }

  /** Flushes, then counts the rest as dropped and takes nothing more. */
  async close(deadlineMs: number): Promise<void> {
    await this.flush(deadlineMs)
    this.#closed = true
    clearTimeout(this.#timer)
    this.dropped += this.#waiting.length
    this.#waiting = []
    this.destination.close()
  }

  /** Takes everything out for a last synchronous sending; the caller says how many of them went out. */
  takeAll(): readonly RecordedSpan[] {
    const spans = this.#waiting
    this.#waiting = []
    return spans
  }

  /** Spans that never came here, and that count as made all the same. */
  lost(count: number): void {
    this.made += count
    this.dropped += count
  }

  settle(sent: number, dropped: number): void {
    this.sent += sent
    this.dropped += dropped
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      this.#timer = undefined
      void this.#send(this.#options.timeoutMs)
    }, delayMs)
    this.#timer.unref()
  }

  #send(timeoutMs: number): Promise<void> {
    if (this.#sending) return this.#sending
    clearTimeout(this.#timer)
    this.#timer = undefined
    const batch = this.#waiting.splice(0, this.#options.maxBatchSize)
    if (batch.length === 0) return Promise.resolve()
    this.#inFlight = batch.length
    const sending = async () => this.destination.send(batch, timeoutMs)
    this.#sending = sending()
      .catch((error: unknown): Delivery => ({ outcome: 'refused', reason: String(error) }))
      .then(delivery => {
        this.#inFlight = 0
        this.#sending = undefined
        this.#settleBatch(batch, delivery)
        if (this.#waiting.length === 0 || this.#closed) return
        if (this.down) this.#schedule(this.#backoff)
        else this.#schedule(this.#waiting.length >= this.#options.maxBatchSize ? 0 : this.#options.delayMs)
      })
    return this.#sending
  }

  #settleBatch(batch: RecordedSpan[], delivery: Delivery): void {
    if (delivery.outcome === 'sent') {
      const rejected = Math.min(delivery.rejected, batch.length)
      this.sent += batch.length - rejected
      this.dropped += rejected
      if (rejected > 0) this.#notice(`${this.destination.name} rejected ${rejected} spans of a batch`)
      if (this.down) {
        this.#notice(`${this.destination.name} works again; ${this.#droppedWhileDown} spans were dropped meanwhile`)
        this.#backoff = 0
        this.#droppedWhileDown = 0
        this.lastFailure = undefined
      }
      return
    }
    this.lastFailure = delivery.reason
    if (delivery.outcome === 'refused' || this.#closed) {
      this.dropped += batch.length
      this.#notice(`${this.destination.name} refused ${batch.length} spans: ${delivery.reason}`)
      return
    }
    this.#waiting = batch.concat(this.#waiting)
    if (!this.down) {
      const limit = this.#options.maxQueueSize
      this.#notice(`${this.destination.name} fails: ${delivery.reason}; up to ${limit} spans are kept meanwhile`)
    }
    this.#backoff = Math.min(backoffMs.longest, this.#backoff === 0 ? backoffMs.first : this.#backoff * 2)
  }
}

/** Waits for the promise, but no longer than `ms`. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise.catch(() => {}), late])
  clearTimeout(timer)
}
