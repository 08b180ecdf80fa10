// `npm start`: the shop on the table. `--resilience off` (or the patterns that are on, comma-separated) switches how the
// services protect themselves; every other flag is shaketable's own. The report goes to shaketable-report/ unless --report
// names another folder.
import { globSync, readFileSync, statSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { answers, disagreements } from './answer-key.mjs'

const began = Date.now()
const flags = process.argv.slice(2)

const resilience = take('--resilience')
if (resilience === '') {
  console.error('--resilience: expected on, off, or the patterns that are on, comma-separated')
  process.exit(2)
}
const report = take('--report') ?? 'shaketable-report'
if (report === '') {
  console.error('--report: expected a folder')
  process.exit(2)
}
// One hiccup of the machine in two minutes of measuring is no news about the shop.
if (!flags.some(flag => flag.split('=')[0] === '--attempts')) flags.push('--attempts', '2')
if (resilience) flags.push('--env', `RESILIENCE=${resilience}`)

const experiments = globSync(fileURLToPath(new URL('experiments/*.yaml', import.meta.url)))
  .map(file => relative('', file))
  .sort()
process.argv.splice(2, Number.POSITIVE_INFINITY, 'run', ...experiments, '--report', report, ...flags)
if (resilience === 'off') process.once('exit', compareWithAnswerKey)
await import('../chaos/bin/shaketable.mjs')

/** Takes `--name value` or `--name=value` out of the flags; '' where the value is missing. */
function take(name) {
  const at = flags.findIndex(each => each === name || each.startsWith(`${name}=`))
  if (at < 0) return undefined
  const inline = flags[at].includes('=')
  const [flag, next = ''] = flags.splice(at, inline ? 1 : 2)
  return inline ? flag.slice(name.length + 1) : next
}

function compareWithAnswerKey() {
  const file = join(resolve(report), 'report.json')
  // An older report is not of this run, which has then ended before it could write one.
  if ((statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0) < began) return
  const cells = answers()
  const found = disagreements(JSON.parse(readFileSync(file, 'utf8')), cells)
  for (const cell of found) console.error(`answer key disagrees: ${cell}`)
  console.error(`answer key: ${cells.length - found.length} of ${cells.length} cells agree; report: ${resolve(report)}`)
}
