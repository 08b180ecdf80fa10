/**
 * `npm run bench:verdicts -w shaketable [-- --runs 10000 --write]`: how often is a verdict wrong? Judges simulated runs by the
 * thousand, prints how they ended, and exits 1 where a goal is missed. `--write` puts the table into `docs/verdicts.md`.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { measured, missed, scenarios } from './verdict-rates.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, write: { type: 'boolean', default: false } },
})
const runs = Number(values.runs)
const order = ['pass', 'fail', 'inconclusive', 'void'] as const
const share = (count: number) => `${((count / runs) * 100).toFixed(2)} %`

const lines: string[] = []
const say = (cells: string[]) => {
  lines.push(`| ${cells.join(' | ')} |`)
  console.log(lines.at(-1))
}
say([`${runs} runs each`, ...order, 'fault phase used', 'goal'])
say(['---', '--:', '--:', '--:', '--:', '--:', '---'])
const misses: string[] = []
for (const scenario of scenarios) {
  const { counts, used } = measured(scenario, runs)
  const wrong = missed(scenario, counts)
  misses.push(...wrong)
  say([
    scenario.name,
    ...order.map(verdict => share(counts[verdict])),
    scenario.simulation.endFaultWhenSure ? `${(used * 100).toFixed(1)} %` : 'all',
    scenario.goal ? (wrong.length === 0 ? 'met' : 'missed') : '',
  ])
}
for (const miss of misses) console.error(miss)
process.exitCode = misses.length > 0 ? 1 : 0

if (values.write) {
  const page = new URL('../docs/verdicts.md', import.meta.url)
  const [before, rest] = readFileSync(page, 'utf8').split(/(?<=<!-- measured -->\n)/) as [string, string]
  writeFileSync(page, `${before}${lines.join('\n')}\n${rest.slice(rest.indexOf('<!-- end -->'))}`)
}
