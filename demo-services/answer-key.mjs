import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parse } from 'yaml'

const wanted = { 'must pass': 'pass', 'must fail': 'fail' }

/** The scored cells of the answer key (experiment x objective), each with the verdict that it must get; or all cells. */
export function answers({ all = false } = {}) {
  const key = parse(readFileSync(join(import.meta.dirname, 'answer-key.yaml'), 'utf8'))
  return Object.entries(key).flatMap(([experiment, cells]) =>
    Object.entries(cells)
      .filter(([, answer]) => all || answer in wanted)
      .map(([objective, answer]) => ({ experiment, objective, verdict: wanted[answer] })),
  )
}

/** Every cell of a report (report.json, parsed) that is not as the answer key says, a sentence each. */
export function disagreements(report, expected = answers()) {
  return expected.flatMap(({ experiment, objective, verdict }) => {
    const found = report.experiments.find(({ name }) => name === experiment)
    const seen = found?.objectives.find(({ name }) => name === objective)?.verdict ?? 'not in the report'
    return seen === verdict ? [] : [`${experiment} / ${objective}: ${seen}, expected ${verdict}`]
  })
}
