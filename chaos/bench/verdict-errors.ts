/**
 * `npm run bench:verdicts -w shaketable [-- --runs 10000 --write]`: how often is a verdict, a blame or an interval wrong? Judges
 * made-up runs by the thousand, prints how they ended, and exits 1 where a goal is missed. `--write` puts the tables into
 * `docs/verdicts.md`. Of blame there are a fiftieth of the runs, of intervals a tenth.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { blamed, blameScenarios } from './blame-rates.ts'
import { intervalScenarios, rightShare } from './interval-rates.ts'
import { measured, missed, scenarios } from './verdict-rates.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '10000' }, write: { type: 'boolean', default: false } },
})
const runs = Number(values.runs)
const misses: string[] = []

/** Prints a table as it grows, and gives its text. */
function table(head: string[], rows: Iterable<string[]>): string {
  const lines: string[] = []
  const say = (cells: string[]) => {
    lines.push(`| ${cells.join(' | ')} |\n`)
    process.stdout.write(lines.at(-1)!)
  }
  say(head)
  say(head.map((_, index) => (index === 0 || index === head.length - 1 ? '---' : '--:')))
  for (const row of rows) say(row)
  console.log()
  return lines.join('')
}

const share = (ratio: number, digits = 2) => `${(ratio * 100).toFixed(digits)} %`
const met = (isMet: boolean) => (isMet ? 'met' : 'missed')

function* verdictRows() {
  for (const scenario of scenarios) {
    const { counts, used } = measured(scenario, runs)
    const wrong = missed(scenario, counts)
    misses.push(...wrong)
    yield [
      scenario.name,
      ...(['pass', 'fail', 'inconclusive', 'void'] as const).map(verdict => share(counts[verdict] / runs)),
      scenario.simulation.endFaultWhenSure ? share(used, 1) : 'all',
      scenario.goal ? met(wrong.length === 0) : '',
    ]
  }
}

function* blameRows(of: number) {
  for (const scenario of blameScenarios) {
    const { right, surelyWrong } = blamed(scenario, of)
    const isMet = surelyWrong === 0 && (scenario.simulation.guilty === undefined || right / of >= 0.99)
    if (!isMet) misses.push(`${scenario.name}: ${right} of ${of} right, ${surelyWrong} surely wrong`)
    yield [scenario.name, share(right / of, 1), share(surelyWrong / of, 1), met(isMet)]
  }
}

function* intervalRows(of: number) {
  for (const scenario of intervalScenarios) {
    const right = rightShare(scenario, of)
    if (right < scenario.atLeast) misses.push(`${scenario.name}: ${share(right)}, not ${share(scenario.atLeast)}`)
    yield [scenario.name, share(right, 1), share(scenario.atLeast, 1), met(right >= scenario.atLeast)]
  }
}

const [blames, intervals] = [Math.ceil(runs / 50), Math.ceil(runs / 10)]
const written = {
  measured: table(
    [`${runs} runs each`, 'pass', 'fail', 'inconclusive', 'void', 'fault phase used', 'goal'],
    verdictRows(),
  ),
  blame: table([`${blames} sets of traces each`, 'right', 'surely wrong', 'goal'], blameRows(blames)),
  intervals: table([`${intervals} runs each`, 'so', 'at least', 'goal'], intervalRows(intervals)),
}
for (const miss of misses) console.error(miss)
process.exitCode = misses.length > 0 ? 1 : 0

if (values.write) {
  const page = new URL('../docs/verdicts.md', import.meta.url)
  let text = readFileSync(page, 'utf8')
  for (const [name, rows] of Object.entries(written)) {
    const from = text.indexOf(`<!-- ${name} -->\n`) + `<!-- ${name} -->\n`.length
    text = text.slice(0, from) + rows + text.slice(text.indexOf('<!-- end -->', from))
  }
  writeFileSync(page, text)
}
