// `npm run soak -- [rounds]`: the same again and again, to see whether the verdicts can be trusted. Each round is `npm start`
// with resilience (everything must pass) and without (the answer key must be met); then 50 runs are killed at random
// moments; an experiment without a fault is run three times (`--runs`) and must never fail; and as many seeded breaks must all be
// found. Exits 1 if anything went otherwise; the report of a run that did is kept. `--only rounds`, `kills`, `a/a` or `breaks` does
// a part.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { answers, disagreements } from './answer-key.mjs'

const here = import.meta.dirname
const house = dirname(here)
const start = join(here, 'start.mjs')
const shaketable = join(house, 'chaos/bin/shaketable.mjs')
const noFault = join(here, 'experiments/checks/no-fault.yaml')
const kills = process.env.SOAK_KILLS ?? '50'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { only: { type: 'string' }, runs: { type: 'string' } },
})
const quietRuns = Number(values.runs ?? 3)
if (!Number.isInteger(quietRuns) || quietRuns < 1) {
  console.error(`--runs: saw ${values.runs}, expected a whole number from 1`)
  process.exit(2)
}
const rounds = Number(positionals[0] ?? 3)
if (!Number.isInteger(rounds) || rounds < 1 || positionals.length > 1) {
  console.error(`rounds: saw ${positionals.join(' ')}, expected a whole number from 1`)
  process.exit(2)
}
const parts = { rounds: soakVerdicts, kills: soakKills, 'a/a': soakQuiet, breaks: soakBreaks }
if (values.only !== undefined && !(values.only in parts)) {
  console.error(`--only: saw ${values.only}, expected one of ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
for (const [name, part] of Object.entries(parts)) if ((values.only ?? name) === name) part()

function soakVerdicts() {
  const protectedCells = answers({ all: true }).map(cell => ({ ...cell, verdict: 'pass' }))
  for (let round = 1; round <= rounds; round++) {
    for (const [resilience, exit, cells] of [
      ['on', 0, protectedCells],
      ['off', 1, answers()],
    ]) {
      measure(`round ${round} of ${rounds}, resilience ${resilience}`, [start, '--resilience', resilience], found => [
        ...(found.exit === exit ? [] : [`exit code ${found.exit}, expected ${exit}`]),
        ...disagreements(found.report, cells),
      ])
    }
  }
}

function soakKills() {
  const seed = process.env.SOAK_SEED ?? String(Math.floor(Math.random() * 2 ** 32))
  const args = ['run', '--root', house, '--project', 'runs', 'chaos/test/kill-9.test.ts']
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(house, 'node_modules/vitest/vitest.mjs'), ...args],
    {
      cwd: house,
      env: { ...process.env, SOAK_KILLS: kills, SOAK_SEED: seed },
      encoding: 'utf8',
    },
  )
  conclude(`${kills} kills, SOAK_SEED=${seed}`, status === 0 ? [] : [`exit code ${status}\n${stdout}\n${stderr}`])
}

function soakQuiet() {
  for (let run = 1; run <= quietRuns; run++) {
    measure(`A/A ${run} of ${quietRuns}`, [shaketable, 'run', noFault, '--attempts', '2'], ({ report }) =>
      report.experiments
        .filter(({ verdict }) => verdict === 'fail')
        .map(({ name, reasons }) => `${name}: fail (${reasons.join('; ')})`),
    )
  }
}

/** What resilience covers, without it: a break, which must be found whatever the seed. */
function soakBreaks() {
  const broken = ['slow-payments', 'failing-recommendations', 'frozen-inventory']
  for (let seed = 1; seed <= quietRuns; seed++) {
    const name = broken[seed % broken.length]
    const file = join(here, 'experiments', `${name}.yaml`)
    const flags = ['--attempts', '2', '--seed', String(seed), '--env', 'RESILIENCE=off']
    measure(`break ${seed} of ${quietRuns}, ${name}`, [shaketable, 'run', file, ...flags], ({ report }) =>
      report.experiments.filter(({ verdict }) => verdict !== 'fail').map(each => `${each.verdict}, expected fail`),
    )
  }
}

/** Runs something that writes a report, and says what `mistakes` finds in it. */
function measure(title, args, mistakes) {
  const dir = mkdtempSync(join(tmpdir(), 'shop-soak-'))
  const { status: exit, stderr } = spawnSync(process.execPath, [...args, '--report', dir], {
    stdio: ['ignore', 'ignore', 'pipe'],
    maxBuffer: Number.POSITIVE_INFINITY,
  })
  let found
  try {
    found = mistakes({ exit, report: JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8')) })
  } catch (error) {
    found = [`exit code ${exit}, no report: ${error.message}`]
  }
  if (found.length === 0) rmSync(dir, { recursive: true, force: true })
  else writeFileSync(join(dir, 'stderr.txt'), stderr)
  conclude(title, found.length === 0 ? [] : [...found, `kept: ${dir}`])
}

function conclude(title, found) {
  console.log(`${title}: ${found.length === 0 ? 'as expected' : found.join('; ')}`)
  if (found.length > 0) process.exitCode = 1
}
