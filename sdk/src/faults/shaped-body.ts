import type { ArmedFault } from './armed.ts'
import type { Clock } from './clock.ts'
import type { Shaping, Valve } from './effects/effect.ts'

/** Where a shaped body goes. */
export interface BodyOutlet {
  pass(piece: Uint8Array): void
  end(): void
  /** The connection is to break here. */
  cut(): void
  /** Nothing waits any more: more may come. */
  drained(): void
}

/** A body on its way through the valves of the faults that struck its request. */
export class ShapedBody {
  readonly #first: Stretch
  readonly #stretches: Stretch[] = []

  constructor(shapes: { fault: ArmedFault; effect: Shaping }[], clock: Clock, outlet: BodyOutlet) {
    const drained = () => {
      if (this.waiting === 0) outlet.drained()
    }
    let to: BodyOutlet = { ...outlet, pass: outlet.pass, end: outlet.end, cut: () => this.#cut(outlet), drained }
    for (const { fault, effect } of shapes.toReversed()) {
      const stretch = new Stretch(effect.valve(fault.request.effect as never), fault, clock, to)
      this.#stretches.push(stretch)
      const next = to
      to = { pass: piece => stretch.add(piece), end: () => stretch.end(), cut: () => next.cut(), drained }
    }
    this.#first = this.#stretches.at(-1)!
  }

  /** In bytes. */
  get waiting(): number {
    return this.#stretches.reduce((sum, stretch) => sum + stretch.waiting, 0)
  }

  add(chunk: Uint8Array): void {
    this.#first.add(chunk)
  }

  end(): void {
    this.#first.end()
  }

  /** Nobody wants it any more. */
  stop(): void {
    for (const stretch of this.#stretches) stretch.stop()
  }

  #cut(outlet: BodyOutlet): void {
    this.stop()
    outlet.cut()
  }
}

/** What lies before one valve. When its fault ends the valve is gone, and all goes on at once. */
class Stretch {
  waiting = 0
  readonly #clock: Clock
  readonly #to: BodyOutlet
  readonly #queue: Uint8Array[] = []
  readonly #forget: () => void
  #valve: Valve | undefined
  #cancel = () => {}
  #timing = false
  #ending = false
  #over = false

  constructor(valve: Valve, fault: ArmedFault, clock: Clock, to: BodyOutlet) {
    this.#valve = valve
    this.#clock = clock
    this.#to = to
    this.#forget = fault.onEnd(() => {
      this.#valve = undefined
      this.#cancel()
      this.#timing = false
      this.#flow()
    })
  }

  add(chunk: Uint8Array): void {
    if (this.#over || chunk.length === 0) return
    this.#queue.push(chunk)
    this.waiting += chunk.length
    this.#flow()
  }

  end(): void {
    this.#ending = true
    this.#flow()
  }

  stop(): void {
    if (this.#over) return
    this.#over = true
    this.waiting = 0
    this.#queue.length = 0
    this.#cancel()
    this.#forget()
  }

  #flow(): void {
    if (this.#timing || this.#over) return
    let passed = false
    while (this.waiting > 0) {
      const answer = this.#valve?.(this.waiting, this.#clock.now()) ?? { pass: this.waiting }
      if (answer === 'cut') {
        this.#to.cut()
        return
      }
      if ('againInMs' in answer) {
        this.#timing = true
        this.#cancel = this.#clock.after(answer.againInMs, () => {
          this.#timing = false
          this.#flow()
        })
        break
      }
      passed = true
      for (const piece of this.#take(answer.pass)) this.#to.pass(piece)
      if (this.#over) return
    }
    if (this.waiting > 0) return
    if (this.#ending) {
      this.stop()
      this.#to.end()
    } else if (passed) this.#to.drained()
  }

  #take(bytes: number): Uint8Array[] {
    const taken: Uint8Array[] = []
    for (let left = bytes; left > 0; ) {
      const chunk = this.#queue[0]!
      const piece = chunk.subarray(0, left)
      if (piece.length === chunk.length) this.#queue.shift()
      else this.#queue[0] = chunk.subarray(piece.length)
      taken.push(piece)
      left -= piece.length
    }
    this.waiting -= bytes
    return taken
  }
}
