import type { Notice } from '../notice.ts'

export interface Trouble {
  /** It `fails`: what waits is kept; it `refuses` whole batches or `rejects` parts of them: those are dropped. */
  kind: 'fails' | 'refuses' | 'rejects'
  detail: string
}

/** A destination that comes and goes is not told more often than this. */
const quietMs = 60_000

/** Says one line when a destination's trouble begins and one when it ends. */
export class TroubleReport {
  readonly #name: string
  readonly #notice: Notice
  readonly #dropped: () => number
  readonly #items: string
  #inTrouble = false
  #droppedBefore = 0
  #droppedTold = 0
  #told: Trouble['kind'] | undefined
  #toldAt = Number.NEGATIVE_INFINITY

  constructor(name: string, notice: Notice, dropped: () => number, items: string) {
    this.#items = items
    this.#name = name
    this.#notice = notice
    this.#dropped = dropped
  }

  /** What the last attempt came to; undefined when all went well. To be told before the loss is counted. */
  now(trouble: Trouble | undefined): void {
    if (trouble && !this.#inTrouble) this.#droppedBefore = this.#dropped()
    this.#inTrouble = trouble !== undefined
    if (trouble) this.#tell(trouble)
    else if (this.#told) this.#end()
  }

  /** The process is going down with these; what was dropped and never told is told with them. */
  atEnd(unsent: number): void {
    const lost = unsent + this.#dropped() - this.#droppedTold
    if (lost > 0) this.#notice(`${this.#name}: ${this.#items} not sent before the process ended: ${lost}`)
  }

  #tell({ kind, detail }: Trouble): void {
    if (kind === this.#told || performance.now() - this.#toldAt < quietMs) return
    this.#told = kind
    this.#toldAt = performance.now()
    const fate =
      kind === 'fails'
        ? `${this.#items} are kept as long as there is room`
        : `those ${this.#items} are dropped and counted`
    this.#notice(`${this.#name} ${kind}: ${detail}; ${fate}`)
  }

  #end(): void {
    this.#told = undefined
    const lost = this.#dropped() - this.#droppedBefore
    this.#droppedTold += lost
    this.#notice(`${this.#name} works again; ${lost} ${this.#items} were dropped meanwhile`)
  }
}
