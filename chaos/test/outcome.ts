import { expect } from 'vitest'
import type { ExperimentReport, SuiteReport } from '../src/report/model.ts'
import type { Finished } from './cli.ts'

/**
 * What a run with `--json` says of each experiment: that its fault hit and was undone, and that requests were counted. No word of the
 * verdict, which hangs on the machine too: one that sends the load late makes it void.
 */
export function hitAndUndone({ stdout, stderr }: Finished, names: readonly string[]): ExperimentReport[] {
  expect(stdout, stderr).not.toBe('')
  const { experiments } = JSON.parse(stdout) as SuiteReport
  expect(experiments.map(({ name }) => name)).toEqual(names)
  for (const { name, faults, objectives } of experiments) {
    expect(faults[0]?.hit, `${name}: ${stderr}`).toBeGreaterThan(0)
    expect(faults[0]?.undoneMs, name).not.toBeNull()
    expect(objectives.length).toBeGreaterThan(0)
    for (const { total } of objectives) expect(total, name).toBeGreaterThan(0)
  }
  return experiments
}
