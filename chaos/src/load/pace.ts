import type { Arrivals } from './arrivals.ts'

/** More arrivals in flight than this would measure our own machine. */
const mostInFlight = 10_000
/** Whoever is late catches up for so long at most before it looks at the answers, in ms. */
const longestTurnMs = 5

/**
 * Has the arrivals of all plans come when they are due, the earliest first. A generator that was held up and only made up for it
 * would never read an answer: it would open a connection for each arrival, fall further behind by that, and hang.
 */
export function keepPace(plans: readonly Arrivals[]): void {
  const turn = () => {
    const end = performance.now() + longestTurnMs
    for (let now = end - longestTurnMs; now < end; now = performance.now()) {
      const next = plans.reduce((a, b) => (b.due < a.due ? b : a))
      const { due } = next
      if (due === Number.POSITIVE_INFINITY) return
      if (due > now) return void setTimeout(turn, due - now)
      next.arrive(now, plans.reduce((all, { inFlight }) => all + inFlight, 0) < mostInFlight)
    }
    setImmediate(turn)
  }
  turn()
}
