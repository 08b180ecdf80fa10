import { deviations95, deviationsOf } from './statistics.ts'

/** A verdict is looked for after each quarter of the fault phase; the last look is at the whole run. */
export const looks = 4
/** How often an interval may miss, at both ends together. */
const error95 = 0.05

/**
 * How many deviations an interval takes at this look, so that all looks together miss no more often than one would. A share
 * t = look / 4 of the run may use up 5 % · t³ (the power family of Kim & DeMets 1987), and each look what it adds to that. The
 * sum of their chances bounds that any is wrong, however the looks hang together.
 *
 * @param objectives so many are told at once (Bonferroni)
 */
export function deviationsAt(look: number, objectives = 1): number {
  const spent = (look / looks) ** 3 - ((look - 1) / looks) ** 3
  return deviationsOf(1 - (error95 * spent) / objectives)
}

/** How many deviations it takes in a run whose length is fixed, or at the last look of one whose length is not. */
export function deviationsAtTheEnd(phases: { endFaultWhenSure?: boolean }, objectives = 1): number {
  if (phases.endFaultWhenSure) return deviationsAt(looks, objectives)
  return objectives === 1 ? deviations95 : deviationsOf(1 - error95 / objectives)
}
