// `npm run bugs`: are the bugs found that are planted in the shop? Runs every experiment of experiments/bugs/ against the shop as
// it is, which must stand; then, with one bug at a time (BUGS=name), the experiment that bugs.yaml names, which must fail and
// name the service. `-- name…` takes some of the bugs only, `--no-clean` leaves the first part out, `--whole` runs every
// experiment against every bug. Exits 1 where one is missed, the wrong service is named, or the shop as it is does not pass each.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { parseArgs } from 'node:util'
import { parse } from 'yaml'

const here = import.meta.dirname
const shaketable = join(dirname(here), 'chaos/bin/shaketable.mjs')
const experiments = join(here, 'experiments/bugs')
const key = parse(readFileSync(join(here, 'bugs.yaml'), 'utf8'))

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { whole: { type: 'boolean', default: false }, clean: { type: 'boolean', default: true } },
  allowNegative: true,
})
const unknown = positionals.filter(name => !(name in key))
if (unknown.length > 0) {
  console.error(`saw ${unknown.join(', ')}, expected some of ${Object.keys(key).join(', ')}`)
  process.exit(2)
}
const wanted = positionals.length > 0 ? positionals : Object.keys(key)

if (values.clean) {
  const all = runOnce([experiments]).experiments.map(experiment =>
    isTold(experiment) ? experiment : run([join(experiments, `${experiment.name}.yaml`)]).experiments[0],
  )
  const unproven = all.filter(({ verdict }) => verdict !== 'pass')
  say('none', unproven.length === 0, unproven.map(told).join('; ') || `${all.length} experiments pass`)
}
for (const bug of wanted) {
  const { service, experiment } = key[bug]
  const files = values.whole ? [experiments] : [join(experiments, `${experiment}.yaml`)]
  const report = run(files, '--env', `BUGS=${bug}`)
  const failed = report.experiments.flatMap(({ expectations }) =>
    expectations.filter(({ verdict }) => verdict === 'fail'),
  )
  const found = failed.find(({ names }) => names[0] === service)
  say(
    bug,
    found !== undefined,
    found ? `${service}: ${found.name}: ${found.detail}` : report.experiments.map(told).join('; '),
  )
}

/** Void and inconclusive say nothing: the machine was busy. */
function isTold({ verdict }) {
  return verdict === 'pass' || verdict === 'fail'
}

/** Again where nothing could be told of anything. */
function run(files, ...flags) {
  let report
  for (let attempt = 1; attempt <= 3; attempt++) {
    report = runOnce(files, ...flags)
    if (report.experiments.some(isTold)) break
  }
  return report
}

function runOnce(files, ...flags) {
  const dir = mkdtempSync(join(tmpdir(), 'shop-bugs-'))
  try {
    const args = [shaketable, 'run', ...files, '--attempts', '3', '--report', dir, ...flags]
    const { status, stderr } = spawnSync(process.execPath, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      encoding: 'utf8',
    })
    try {
      return JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8'))
    } catch {
      throw new Error(`exit code ${status}, and no report:\n${stderr}`)
    }
  } finally {
    rmSync(dir, { recursive: true, force: true })
  }
}

function told({ name, verdict, reasons, expectations }) {
  const named = expectations.flatMap(({ names }) => names)
  return `${name} ${verdict}${named.length > 0 ? `, naming ${named.join(', ')}` : ''}: ${reasons.join('; ')}`
}

function say(bug, found, detail) {
  console.log(
    `${found ? (bug === 'none' ? 'stands' : 'found ') : bug === 'none' ? 'falls ' : 'missed'}  ${bug}: ${detail}`,
  )
  if (!found) process.exitCode = 1
}
