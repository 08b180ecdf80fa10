import type { Attributes } from '@opentelemetry/api'

const mostGroups = 1_000

/**
 * The kind of request that came last of each route or address: most requests are of few kinds, so that what is made for a
 * kind (its series, its bytes, its part of a line) is made once.
 */
export class RecentKinds<Facts extends object, Kind extends { facts: Facts }> {
  readonly #isSame: (one: Facts, other: Facts) => boolean
  readonly #make: (facts: Facts) => Kind
  readonly #last = new Map<string, Kind>()

  constructor(isSame: (one: Facts, other: Facts) => boolean, make: (facts: Facts) => Kind) {
    this.#isSame = isSame
    this.#make = make
  }

  of(group: string, facts: Facts): Kind {
    const last = this.#last.get(group)
    if (last && this.#isSame(last.facts, facts)) return last
    const kind = this.#make(facts)
    if (this.#last.size >= mostGroups) this.#last.clear()
    this.#last.set(group, kind)
    return kind
  }
}

/** Without what is not known. */
export function defined(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined))
}
