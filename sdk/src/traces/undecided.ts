import { SpanStatusCode } from '@opentelemetry/api'
import type { RecordedSpan } from './span.ts'

export interface UndecidedOptions {
  /** A local root, or any span under it, that lasts this long is slow. */
  slowMs: number
  /** Ended spans that may wait for a decision, of all local roots together. */
  maxSpans: number
}

/** Where decided spans go. */
export interface Verdicts {
  keep(span: RecordedSpan): void
  leave(span: RecordedSpan): void
  /** Spans of a kept local root that found no room while it was undecided. */
  lost(count: number): void
}

/**
 * The sampler `errors_and_slow`: what head sampling left out is recorded, and waits for its local root, which is the first
 * span of a trace in this process. All spans under it are kept as soon as one of them fails or lasts too long; when it ends
 * without, none is.
 */
export class Undecided {
  readonly #options: UndecidedOptions
  readonly #to: Verdicts
  /** The oldest first. */
  readonly #open = new Set<LocalTrace>()
  #waiting = 0

  constructor(options: UndecidedOptions, to: Verdicts) {
    this.#options = options
    this.#to = to
  }

  /** What a new local root and all that comes under it belong to. */
  begin(): LocalTrace {
    const local = new LocalTrace(this)
    this.#open.add(local)
    return local
  }

  ended(local: LocalTrace, span: RecordedSpan): void {
    if (local.verdict === 'kept') this.#to.keep(span)
    else if (local.verdict === 'left') this.#to.leave(span)
    else if (this.#isTelling(local, span)) this.#decide(local, 'kept', span)
    else if (span === local.root) this.#decide(local, 'left', span)
    else if (this.#hasRoom(span.endMs)) {
      local.spans.push(span)
      this.#waiting++
    } else local.lost++
  }

  #isTelling(local: LocalTrace, span: RecordedSpan): boolean {
    const begun = local.root?.startMs ?? span.startMs
    return span.status.code === SpanStatusCode.ERROR || span.endMs - begun >= this.#options.slowMs
  }

  /** Local roots that are open for too long are slow already: they need not wait any longer. */
  #hasRoom(nowMs: number): boolean {
    if (this.#waiting < this.#options.maxSpans) return true
    for (const local of this.#open) {
      if (!local.root || nowMs - local.root.startMs < this.#options.slowMs) break
      this.#decide(local, 'kept')
    }
    return this.#waiting < this.#options.maxSpans
  }

  #decide(local: LocalTrace, verdict: 'kept' | 'left', last?: RecordedSpan): void {
    local.verdict = verdict
    this.#open.delete(local)
    this.#waiting -= local.spans.length
    const spans = last ? [...local.spans, last] : local.spans
    local.spans = []
    for (const span of spans) this.#to[verdict === 'kept' ? 'keep' : 'leave'](span)
    if (verdict === 'kept' && local.lost > 0) this.#to.lost(local.lost)
  }
}

/** The spans of one trace in this process, until it is known whether they are worth keeping. */
export class LocalTrace {
  verdict: 'kept' | 'left' | undefined
  root: RecordedSpan | undefined
  spans: RecordedSpan[] = []
  lost = 0
  readonly #undecided: Undecided

  constructor(undecided: Undecided) {
    this.#undecided = undecided
  }

  started(span: RecordedSpan): void {
    this.root ??= span
  }

  ended(span: RecordedSpan): void {
    this.#undecided.ended(this, span)
  }
}
