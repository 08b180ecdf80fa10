import type { Indicator, Objective } from '../src/objective.ts'

/** An objective as the reader would give it, for tests: the checkout's latency, 99 % over 30 days. */
export function objectiveOf(given: Partial<Objective> = {}): Objective {
  return {
    name: 'checkout-latency',
    title: 'Checkout latency',
    description: undefined,
    service: 'gateway',
    target: 0.99,
    windowMs: 30 * 86_400_000,
    indicator: checkout({ status: { below: 500 }, underSeconds: 0.5 }),
    labels: {},
    place: { file: 'objectives.yaml', line: 1, column: 1 },
    ...given,
  }
}

/** Requests of the gateway's checkout; good by the given predicate. */
export function checkout(good: { status?: { below: number }; underSeconds?: number }): Indicator {
  return {
    type: 'shaketable',
    selector: { signal: 'http-server', service: 'gateway', method: 'POST', route: '/checkout' },
    good: { status: good.status, underSeconds: good.underSeconds },
  }
}
