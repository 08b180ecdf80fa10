/** A short, seeded turn of `npm run bench:verdicts`, which judges 10,000 runs of each kind. */
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { blamed, blameScenarios } from '../bench/blame-rates.ts'
import { intervalScenarios } from '../bench/interval-rates.ts'
import { measured, missed, scenarios } from '../bench/verdict-rates.ts'
import { fitsPercent } from '../src/verdict/statistics.ts'

const runs = 30
const page = readFileSync(new URL('../docs/verdicts.md', import.meta.url), 'utf8')
/** Scenario -> what the page says of it, in percent. */
const said = new Map(
  [
    ...page.matchAll(/^\| (\d[^|]*?) \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| ([\d.]+) % \| [^|]+ \| (\w*) *\|$/gm),
  ].map(([, name, pass, fail, inconclusive, unsound, goal]) => [
    name!,
    { pass: Number(pass), fail: Number(fail), inconclusive: Number(inconclusive), void: Number(unsound), goal },
  ]),
)

test('the page tells of every kind of run that is measured, and each goal was met', () => {
  expect([...said.keys()]).toEqual(scenarios.map(({ name }) => name))
  for (const scenario of scenarios) {
    const { goal, ...shares } = said.get(scenario.name)!
    expect(goal, scenario.name).toBe(scenario.goal ? 'met' : '')
    expect(missed(scenario, shares)).toEqual([])
  }
})

test('it tells of every kind of traces and of every interval, and each goal was met', () => {
  const names = [...blameScenarios, ...intervalScenarios].map(({ name }) => name)
  const told = [...page.matchAll(/^\| ([^|]+?) \| [\d.]+ % \| [\d.]+ % \| (\w+) \|$/gm)]
  expect(told.map(([, name]) => name).sort()).toEqual(names.sort())
  expect(new Set(told.map(([, , goal]) => goal))).toEqual(new Set(['met']))
})

test.each(blameScenarios.filter(({ simulation }) => simulation.guilty).map(each => [each.name, each] as const))(
  'the traces name who was struck: %s',
  (_, scenario) => {
    expect(blamed(scenario, 2)).toEqual({ right: 2, surelyWrong: 0 })
  },
)

describe('thirty runs end as the page says of ten thousand', () => {
  test.each(scenarios.filter(({ goal }) => goal).map(each => [each.name, each] as const))('%s', (name, scenario) => {
    const { counts } = measured(scenario, runs)
    for (const verdict of ['pass', 'fail', 'inconclusive', 'void'] as const) {
      // One run more or less is no disagreement: what happens in 4 of 10,000 may be among the first thirty.
      const percent = said.get(name)![verdict]
      const fits = [-1, 0, 1].some(more => fitsPercent(counts[verdict] + more, runs, percent))
      expect(fits, `${verdict}: ${counts[verdict]} of ${runs}`).toBe(true)
    }
  })
})
