/** A cell of the answer key (experiment x objective); `verdict` is undefined where it is unscored. */
export interface Cell {
  experiment: string
  objective: string
  verdict: 'pass' | 'fail' | undefined
}

export function answers(options?: { all?: boolean }): Cell[]

export function disagreements(
  report: { experiments: { name: string; objectives: { name: string; verdict: string }[] }[] },
  expected?: Cell[],
): string[]
