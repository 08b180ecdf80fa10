import type { Notice } from '../notice.ts'
import { type LastMessage, sendBlocking } from './last-moment.ts'
import { type Message, pack } from './message.ts'
import { type Trouble, TroubleReport } from './trouble.ts'

/** What became of a batch. `retry`: it stays in the queue; `refused`: it would be refused again, so it is dropped. */
export type Delivery =
  | { outcome: 'sent'; rejected: number; message?: string | undefined }
  | { outcome: 'refused'; reason: string }
  /** `afterMs`: how long the destination wants to be left alone. */
  | { outcome: 'retry'; reason: string; afterMs?: number | undefined }

/** Where batches go. Neither `send` nor `post` ever rejects. */
export interface ExportDestination<Item, Held = unknown> {
  readonly name: string
  /** What waits in the queue for some items; where it is undefined, the items themselves. */
  readonly hold?: ((items: readonly Item[]) => readonly Held[]) | undefined
  send(items: readonly Held[], timeoutMs: number): Promise<Delivery>
  close(): void
  /** Of a destination that takes messages, which the queue can keep while it is away. */
  wire?: {
    encode(items: readonly Held[]): Message
    post(message: Message, timeoutMs: number): Promise<Delivery>
    /** One request that takes all of the items: what a crash hands to its last-moment sender. */
    last(items: readonly Held[]): LastMessage
  }
}

/** What a queue tells of itself, whatever it holds. */
export type QueueState = Readonly<
  Pick<ExportQueue<unknown>, 'made' | 'sent' | 'dropped' | 'droppedFor' | 'waiting' | 'packed' | 'down' | 'lastFailure'>
> & { readonly destination: { readonly name: string } }

export interface QueueOptions {
  /** Items that wait unpacked. */
  maxQueueSize: number
  maxBatchSize: number
  delayMs: number
  /** For one batch. */
  timeoutMs: number
  /** Bytes of packed batches that wait besides, while the destination is away or slow. 0: none. */
  maxPackedBytes: number
}

/** Why items were lost. */
export const dropReasons = ['queue_full', 'refused', 'rejected', 'closed', 'undecided'] as const
export type DropReason = (typeof dropReasons)[number]

/** So many are written at a time: for each alone, the code that does it would have to come into the processor's caches anew. */
const handful = 8

const backoffMs = { first: 1_000, longest: 10_000 }
/** A `Retry-After` beyond this is not believed. */
const longestRetryAfterMs = 300_000

/** Items as the destination holds them. */
interface Batch {
  count: number
  held: readonly unknown[]
}

interface Packed {
  message: Message
  count: number
}

/**
 * The one bounded queue before the one destination. Every item that enters is in the end counted once, as sent or as
 * dropped: made = sent + dropped + waiting, at every moment. What does not find a taker in time is encoded and packed, some
 * 50 bytes a span, so that an outage of minutes fits into a few megabytes.
 */
export class ExportQueue<Item> {
  made = 0
  sent = 0
  lastFailure: string | undefined
  readonly droppedFor: Record<DropReason, number> = { queue_full: 0, refused: 0, rejected: 0, closed: 0, undecided: 0 }
  readonly destination: ExportDestination<Item>
  readonly #options: QueueOptions
  readonly #report: TroubleReport
  readonly #items: string
  /** The last that came, as they came. */
  #handful: Item[] = []
  #waiting: Batch[] = []
  #waitingItems = 0
  #packed: Packed[] = []
  #packedItems = 0
  #packedBytes = 0
  /** Items that are being packed at this moment. */
  #packing = 0
  #inFlight = 0
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  /** Whether the timer runs out at once. */
  #isDue = false
  #backoff = 0
  #retryAfter = 0
  #closed = false

  constructor(destination: ExportDestination<Item>, options: QueueOptions, notice: Notice, items = 'spans') {
    this.destination = destination
    this.#options = options
    this.#report = new TroubleReport(destination.name, notice, () => this.dropped, items)
    this.#items = items
  }

  get waiting(): number {
    return this.#waitingItems + this.#packedItems + this.#packing + this.#inFlight
  }

  /** The part of what waits that is packed. */
  get packed(): { spans: number; bytes: number } {
    return { spans: this.#packedItems, bytes: this.#packedBytes }
  }

  get dropped(): number {
    return dropReasons.reduce((sum, reason) => sum + this.droppedFor[reason], 0)
  }

  get down(): boolean {
    return this.#backoff > 0
  }

  add(item: Item): void {
    this.made++
    this.#packIfCrowded()
    if (this.#closed) this.droppedFor.closed++
    else if (this.#waitingItems + this.#inFlight >= this.#options.maxQueueSize) this.droppedFor.queue_full++
    else {
      this.#waitingItems++
      this.#handful.push(item)
      if (this.#handful.length >= Math.min(handful, this.#options.maxBatchSize)) this.#hold()
      if (!this.#sending) this.#scheduleSoon()
    }
  }

  #hold(): void {
    const items = this.#handful
    if (items.length === 0) return
    this.#handful = []
    try {
      this.#waiting.push({ count: items.length, held: this.#heldOf(items) })
    } catch (error) {
      this.#waitingItems -= items.length
      this.droppedFor.refused += items.length
      this.#report.now({ kind: 'refuses', detail: String(error) })
    }
  }

  #heldOf(items: readonly Item[]): readonly unknown[] {
    return this.destination.hold?.(items) ?? items
  }

  /** The oldest ones, up to `most` items. */
  #take(most: number): Batch {
    this.#hold()
    let count = 0
    let handfuls = 0
    for (const one of this.#waiting) {
      if (count + one.count > most) break
      count += one.count
      handfuls++
    }
    this.#waitingItems -= count
    return { count, held: this.#waiting.splice(0, handfuls).flatMap(one => one.held) }
  }

  /** Sends these at once, past the queue and its counters. */
  probe(items: readonly Item[], timeoutMs: number): Promise<Delivery> {
    return settled(() => this.destination.send(this.#heldOf(items), timeoutMs))
  }

  /** Items that never came here, and that count as made all the same. */
  lost(count: number): void {
    this.made += count
    this.droppedFor.undecided += count
  }

  /** Sends what waits, for at most `deadlineMs`. What then still waits stays. */
  async flush(deadlineMs: number): Promise<void> {
    const end = performance.now() + deadlineMs
    if (this.#sending) await settledWithin(this.#sending, deadlineMs)
    while (this.#hasWork && !this.#sending) {
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
    this.droppedFor.closed += this.#waitingItems + this.#packedItems
    this.#handful = []
    this.#waiting = []
    this.#waitingItems = 0
    this.#packed = []
    this.#packedItems = this.#packedBytes = 0
    this.destination.close()
  }

  /** The last sending of a process that is going down: blocks, but not when the destination is known to be down. */
  flushBlocking(deadlineMs: number): void {
    const { wire } = this.destination
    if (!wire || this.#waitingItems === 0 || this.down) return
    const { count, held } = this.#take(this.#waitingItems)
    let accepted = false
    try {
      accepted = sendBlocking(wire.last(held), deadlineMs)
    } catch (error) {
      this.#report.now({ kind: 'refuses', detail: String(error) })
    }
    if (accepted) this.sent += count
    else {
      this.#report.now({ kind: 'fails', detail: 'it did not take them in time' })
      this.droppedFor.closed += count
    }
  }

  /** One line for what the process takes with it, where it does. */
  tellUnsent(): void {
    this.#report.atEnd(this.waiting)
  }

  get #hasWork(): boolean {
    return this.#waitingItems > 0 || this.#packed.length > 0
  }

  #scheduleSoon(): void {
    const { maxBatchSize, delayMs } = this.#options
    const full = this.#waitingItems >= maxBatchSize || this.#packed.length > 0
    if (full && !this.down) {
      // Not put off by each item that comes meanwhile.
      if (!this.#isDue) this.#schedule(0)
    } else if (!this.#timer) this.#schedule(this.down ? this.#pauseMs() : delayMs)
  }

  /** Not the same for all that lost the same collector at the same moment. */
  #pauseMs(): number {
    return Math.max(this.#retryAfter, this.#backoff * (0.8 + 0.2 * Math.random()))
  }

  #schedule(delayMs: number): void {
    clearTimeout(this.#timer)
    this.#isDue = delayMs === 0
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
    this.#isDue = false
    if (!this.#hasWork) return Promise.resolve()
    const sending = this.#packed.length > 0 ? this.#sendPacked(timeoutMs) : this.#sendWaiting(timeoutMs)
    this.#sending = sending.then(() => {
      this.#sending = undefined
      if (!this.#hasWork || this.#closed) return
      this.#scheduleSoon()
    })
    return this.#sending
  }

  /** The oldest first: what is packed has waited longer than what is not. */
  async #sendPacked(timeoutMs: number): Promise<void> {
    const [{ message, count }] = this.#packed as [Packed]
    const delivery = await settled(() => this.destination.wire!.post(message, timeoutMs))
    // Closed meanwhile: counted already.
    if (this.#closed) return
    if (delivery.outcome !== 'retry') {
      this.#packed.shift()
      this.#packedItems -= count
      this.#packedBytes -= message.bytes.length
    }
    this.#account(count, delivery)
  }

  async #sendWaiting(timeoutMs: number): Promise<void> {
    const batch = this.#take(this.#options.maxBatchSize)
    if (batch.count === 0) return
    this.#inFlight = batch.count
    const delivery = await settled(() => this.destination.send(batch.held, timeoutMs))
    this.#inFlight = 0
    if (delivery.outcome === 'retry') {
      if (this.#closed) this.droppedFor.closed += batch.count
      else {
        this.#waiting.unshift(batch)
        this.#waitingItems += batch.count
      }
    }
    this.#account(batch.count, delivery)
  }

  #account(count: number, delivery: Delivery): void {
    const trouble = troubleOf(delivery, count, this.#items)
    this.#report.now(trouble)
    this.lastFailure = trouble?.detail
    if (delivery.outcome === 'sent') {
      const rejected = Math.min(delivery.rejected, count)
      this.sent += count - rejected
      this.droppedFor.rejected += rejected
    } else if (delivery.outcome === 'refused') this.droppedFor.refused += count
    this.#pace(delivery)
  }

  #pace(delivery: Delivery): void {
    if (delivery.outcome === 'retry') {
      this.#backoff = Math.min(backoffMs.longest, this.#backoff === 0 ? backoffMs.first : this.#backoff * 2)
      this.#retryAfter = Math.min(longestRetryAfterMs, delivery.afterMs ?? 0)
    } else this.#backoff = this.#retryAfter = 0
  }

  /** Before the queue is full, a batch of it makes room, as long as there is some for packed ones. */
  #packIfCrowded(): void {
    const { maxBatchSize, maxQueueSize, maxPackedBytes } = this.#options
    const { wire } = this.destination
    if (!wire || this.#closed || this.#packing > 0 || this.#packedBytes >= maxPackedBytes) return
    if (this.#waitingItems < Math.max(Math.min(maxBatchSize, maxQueueSize), maxQueueSize / 2)) return
    // A batch that is just beginning its way needs no packing.
    if (!this.#sending && !this.down) return
    const batch = this.#take(maxBatchSize)
    this.#packing = batch.count
    void this.#pack(batch, wire)
  }

  async #pack({ count, held }: Batch, wire: NonNullable<ExportDestination<Item>['wire']>): Promise<void> {
    try {
      const message = await pack(wire.encode(held))
      if (this.#closed) {
        this.droppedFor.closed += count
      } else {
        this.#packed.push({ message, count })
        this.#packedItems += count
        this.#packedBytes += message.bytes.length
      }
    } catch (error) {
      this.droppedFor.refused += count
      this.#report.now({ kind: 'refuses', detail: String(error) })
    } finally {
      this.#packing = 0
      this.#packIfCrowded()
    }
  }
}

function troubleOf(delivery: Delivery, count: number, items: string): Trouble | undefined {
  if (delivery.outcome === 'retry') return { kind: 'fails', detail: delivery.reason }
  if (delivery.outcome === 'refused') return { kind: 'refuses', detail: delivery.reason }
  if (delivery.rejected === 0) return undefined
  return { kind: 'rejects', detail: delivery.message || `${Math.min(delivery.rejected, count)} of ${count} ${items}` }
}

async function settled(send: () => Promise<Delivery>): Promise<Delivery> {
  try {
    return await send()
  } catch (error) {
    return { outcome: 'refused', reason: String(error) }
  }
}

/** Waits for the promise, but no longer than `ms`. */
export async function settledWithin(promise: Promise<unknown>, ms: number): Promise<void> {
  const { promise: late, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  await Promise.race([promise.catch(() => {}), late])
  clearTimeout(timer)
}
