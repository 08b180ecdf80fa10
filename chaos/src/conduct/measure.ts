import type { ExperimentReport } from '../report/model.ts'

export interface Measured {
  report: ExperimentReport
  /** Faults that could not be undone. */
  notUndone: string[]
  /** The run was ended early, and may not go on. */
  aborted: boolean
}

/**
 * Measures until the measurement is sound, `attempts` times at most. A void one says nothing of the system, for or against it,
 * so throwing it away favours no verdict; the report keeps why.
 */
export async function measure(attempts: number, once: (discarded: string[][]) => Promise<Measured>): Promise<Measured> {
  const discarded: string[][] = []
  for (;;) {
    const measured = await once([...discarded])
    discarded.push(measured.report.reasons)
    const { report, notUndone, aborted } = measured
    if (report.verdict !== 'void' || aborted || notUndone.length > 0 || discarded.length >= attempts) return measured
  }
}
