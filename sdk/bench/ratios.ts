import { bare, type references } from './contenders.ts'
import type { Route, Run } from './run.ts'

/** One round: each contender once. */
export type Round = readonly Run[]

/** The median over the rounds of something of one contender. */
export function typical(rounds: readonly Round[], name: string, of: (run: Run) => number): number {
  return median(rounds.map(round => of(runOf(round, name))))
}

/** The median over the rounds of what `compare` makes of one contender and bare Express in the same round. */
export function againstBare(rounds: readonly Round[], name: string, compare: (run: Run, bare: Run) => number): number {
  return median(rounds.map(round => compare(runOf(round, name), runOf(round, bare))))
}

/** What share one contender's overhead has of a reference's: CPU a request, over bare Express, in the same round. */
export function shareOf(
  reference: (typeof references)[number],
  rounds: readonly Round[],
  name: string,
  route: Route,
): number {
  const cpu = (round: Round, of: string) => runOf(round, of).routes[route].cpuMicros
  return median(rounds.map(round => (cpu(round, name) - cpu(round, bare)) / (cpu(round, reference) - cpu(round, bare))))
}

function runOf(round: Round, name: string): Run {
  const found = round.find(run => run.contender === name)
  if (!found) throw new Error(`${name} took no part in the race`)
  return found
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
