import type { Notice } from '../notice.ts'
import type { CardinalityGuard } from './cardinality-guard.ts'
import type { Family } from './exposition.ts'
import { familiesOf, type PromRegistry } from './prom-client.ts'

type Source = () => Family[] | Promise<Family[]>

/** Everything that is measured: ours first, then the Meter API's, then the app's own prom-client registries. */
export class MetricCollection {
  readonly #guard: CardinalityGuard
  readonly #notice: Notice
  readonly #own: Source[] = []
  readonly #meters: Source[] = []
  readonly #app = new Set<PromRegistry>()
  readonly #clashes = new Set<string>()

  constructor(guard: CardinalityGuard, notice: Notice) {
    this.#guard = guard
    this.#notice = notice
  }

  addOwn(families: Source): void {
    this.#own.push(families)
  }

  addMeters(families: Source): void {
    this.#meters.push(families)
  }

  addApp(registry: PromRegistry): void {
    this.#app.add(registry)
  }

  /** Of two metrics with one name the first stays, and that is said once. */
  async collect(): Promise<Family[]> {
    const byName = new Map<string, Family>()
    const clashes = new Set<string>()
    const add = (family: Family) => {
      if (!byName.has(family.name)) byName.set(family.name, family)
      else if (!this.#clashes.has(family.name)) clashes.add(family.name)
    }
    for (const families of this.#own) for (const family of await families()) byName.set(family.name, family)
    for (const families of this.#meters) for (const family of await families()) add(family)
    for (const registry of this.#app) for (const family of await this.#read(registry)) add(family)
    this.#warn([...clashes])
    return [...byName.values()].map(family => this.#guard.bound(family))
  }

  async #read(registry: PromRegistry): Promise<Family[]> {
    try {
      return await familiesOf(registry)
    } catch (error) {
      this.#notice(`the app's prom-client registry cannot be read: ${String(error)}`)
      return []
    }
  }

  #warn(clashes: readonly string[]): void {
    if (clashes.length === 0) return
    for (const name of clashes) this.#clashes.add(name)
    const more = clashes.length > 3 ? ` and ${clashes.length - 3} more` : ''
    this.#notice(
      `two sources both have the metric ${clashes.slice(0, 3).join(', ')}${more}; the SDK's stays, then the Meter API's, then prom-client's`,
    )
  }
}
