/** Its place among those in flight; -1 when it is not one of them. */
export interface Placed {
  place: number
}

/** What is in flight, in no order. A set would hash each of them at its begin and twice at its end. */
export class InFlight<Item extends Placed> {
  readonly #items: Item[] = []

  get size(): number {
    return this.#items.length
  }

  add(item: Item): void {
    item.place = this.#items.push(item) - 1
  }

  /** Whether it was one of them. */
  delete(item: Item): boolean {
    const { place } = item
    if (place < 0) return false
    const last = this.#items.pop()!
    if (last !== item) {
      this.#items[place] = last
      last.place = place
    }
    item.place = -1
    return true
  }

  /** Those that are in flight now; they may end meanwhile. */
  all(): Item[] {
    return [...this.#items]
  }
}
