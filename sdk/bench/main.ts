import { execFileSync, spawnSync } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bare, contenders } from './contenders.ts'
import { race } from './race.ts'
import { report } from './table.ts'

/**
 * `npm run bench -w sdk [-- --contenders bare,hand,ours --rounds 7 --seconds 4 --warm 2 --seed 1 --json FILE --write]`: races
 * the built package against bare Express and the stacks that a team would use in its place. The tables go to stdout; `--write`
 * puts them into the README too. Needs wrk (Debian's package of that name), and installs the other stacks once.
 */
const { values } = parseArgs({
  options: {
    contenders: { type: 'string', default: contenders.map(({ name }) => name).join(',') },
    rounds: { type: 'string', default: '7' },
    seconds: { type: 'string', default: '4' },
    warm: { type: 'string', default: '2' },
    seed: { type: 'string', default: '1' },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
  },
})
const raced = chosen(values.contenders)
const pace = { warmSeconds: positive('warm', values.warm), seconds: positive('seconds', values.seconds) }
const rounds = positive('rounds', values.rounds)
const seed = positive('seed', values.seed)
if (values.write && raced.length < contenders.length) refuse('--write: expected all contenders to race')
if (spawnSync('wrk', ['-v']).error) refuse('the bench needs wrk: apt-get install wrk')

build()
const results = await race({
  contenders: raced,
  rounds,
  pace,
  seed,
  progress: line => process.stderr.write(`${line}\n`),
})
const text = report(results, raced, pace)
process.stdout.write(`${text}\n`)
if (values.json) await writeFile(values.json, `${JSON.stringify(results)}\n`)
if (values.write) await writeInto(new URL('../README.md', import.meta.url), text)

function chosen(names: string) {
  const wanted = names.split(',')
  const unknown = wanted.filter(name => !contenders.some(contender => contender.name === name))
  const known = contenders.map(({ name }) => name).join(', ')
  if (unknown.length > 0) refuse(`--contenders: expected some of ${known}, saw ${unknown.join(', ')}`)
  if (!wanted.includes(bare)) refuse(`--contenders: expected ${bare} among them, which all others are compared with`)
  return contenders.filter(({ name }) => wanted.includes(name))
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  return refuse(`--${name}: expected a whole number over 0, saw ${value}`)
}

function refuse(line: string): never {
  process.stderr.write(`${line}\n`)
  process.exit(2)
}

function build(): void {
  execFileSync('npm', ['run', '-s', 'build', '-w', 'sdk'], { cwd: join(import.meta.dirname, '../..'), stdio: 'pipe' })
}

async function writeInto(file: URL, text: string): Promise<void> {
  const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->']
  const readme = await readFile(file, 'utf8')
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  if (from === -1 || to < from) throw new Error(`${file.pathname}: expected ${begin} and ${end}`)
  await writeFile(file, `${readme.slice(0, from)}${begin}\n${text}\n${readme.slice(to)}`)
}
