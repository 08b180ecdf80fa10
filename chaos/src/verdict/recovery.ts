import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { Span } from './observations.ts'
import { targetOf } from './soundness.ts'
import { blocksOf, type Event, eventsOf, isSeenByClients } from './tally.ts'

/** The steady state is back with the first of this many good windows in a row. */
const windowsInARow = 4
const shortestWindowMs = 500
/** A window is long enough for this many arrivals of the slowest load. */
const arrivalsInWindow = 2

/** How the steady state came back, in ms from the start of the span. */
export interface Recovery {
  /** The start of the first 4 windows in a row of which each holds every target; null: none in the span. */
  recoveredMs: number | null
  /** The end of the last window that did not hold. Where nothing recovered, it may have done so from here on. */
  notBeforeMs: number
}

/** Windows of 500 ms, longer where arrivals are rare. */
export function windowOf({ load }: Experiment): number {
  const slowest = Math.min(...load.map(each => each.ratePerSecond))
  return Math.max(1, Math.ceil((arrivalsInWindow * 1000) / slowest / shortestWindowMs)) * shortestWindowMs
}

/** When the steady state was back. One bad request is forgiven in a window too small to tell. */
export function recoveryOf(
  held: { events: readonly Event[]; target: number }[],
  span: Span,
  windowMs: number,
): Recovery {
  // Without telemetry there is nothing to hold.
  const windows = held.length === 0 ? 0 : Math.floor((span.end - span.start) / windowMs + 0.1)
  const blocks = held.map(({ events, target }) => ({ target, blocks: blocksOf(events, span, windowMs) }))
  let inARow = 0
  for (let index = 0; index < windows; index++) {
    const good = blocks.every(({ target, blocks }) => {
      const { good, total } = blocks[index] ?? { good: 0, total: 0 }
      return total > 0 && total - good <= Math.max(1, (1 - target) * total)
    })
    inARow = good ? inARow + 1 : 0
    if (inARow === windowsInARow) {
      const recoveredMs = (index + 1 - windowsInARow) * windowMs
      return { recoveredMs, notBeforeMs: recoveredMs }
    }
  }
  return { recoveredMs: null, notBeforeMs: (windows - inARow) * windowMs }
}

/** What the steady state is made of: the objectives that must hold, or all where none must, with the targets in force. */
export function steadyState(
  experiment: Experiment,
  eventsFor: (name: string) => Event[],
): { events: Event[]; target: number }[] {
  const { expect, objectives } = experiment
  return (expect.hold.length > 0 ? expect.hold : objectives)
    .filter(isSeenByClients)
    .map(({ name, target }) => ({ events: eventsFor(name), target: targetOf(name, target, expect) }))
}

/** Whether the steady state has come at some time in the span. */
export function isSteady(experiment: Experiment, samples: readonly LoadSample[], span: Span): boolean {
  const held = steadyState(experiment, name => {
    const objective = experiment.objectives.find(each => each.name === name)
    return objective ? eventsOf(objective, experiment, samples) : []
  })
  return held.length === 0 || recoveryOf(held, span, windowOf(experiment)).recoveredMs !== null
}
