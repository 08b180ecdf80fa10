/** A short, seeded turn of `npm run bench:verdicts`, which judges 10,000 runs of each kind. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { missed, scenarios, verdictsOf } from '../bench/verdict-rates.ts'
import { fitsPercent } from '../src/verdict/statistics.ts'

const runs = 100
const page = readFileSync(new URL('../docs/verdicts.md', import.meta.url), 'utf8')
/** Scenario -> what the page says of it, in percent. */
const said = new Map(
  [...page.matchAll(/^\| (\d[^|]*?) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| (\w*) *\|$/gm)].map(
    ([, name, pass, fail, inconclusive, unsound, goal]) => [
      name!,
      { pass: Number(pass), fail: Number(fail), inconclusive: Number(inconclusive), void: Number(unsound), goal },
    ],
  ),
)

test('the page tells of every kind of run that is measured, and each goal was met', () => {
  expect([...said.keys()]).toEqual(scenarios.map(({ name }) => name))
  for (const scenario of scenarios) {
    const { goal, ...shares } = said.get(scenario.name)!
    expect(goal, scenario.name).toBe(scenario.goal ? 'met' : '')
    expect(missed(scenario, shares)).toEqual([])
  }
})

describe('a hundred runs end as the page says of ten thousand', () => {
  test.each(scenarios.filter(({ goal }) => goal).map(each => [each.name, each] as const))('%s', (name, scenario) => {
    const counts = verdictsOf(scenario, runs)
    for (const verdict of ['pass', 'fail', 'inconclusive', 'void'] as const) {
      // What the page rounds to 0 or 100 may happen once.
      const percent = Math.min(99.99, Math.max(0.01, said.get(name)![verdict]))
      expect(fitsPercent(counts[verdict], runs, percent), `${verdict}: ${counts[verdict]} of ${runs}`).toBe(true)
    }
  })
})
