import { readFile, writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { race } from './race.ts'
import { table } from './table.ts'

/**
 * `npm run bench -w sdk [-- --rounds 5 --seconds 5 --seed 1 --write]`: races the SDK against bare Express and against the stack
 * assembled by hand. The table goes to stdout; `--write` puts it into the README too.
 */
const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    seed: { type: 'string', default: '1' },
    write: { type: 'boolean', default: false },
  },
})
const rounds = positive('rounds', values.rounds)
const seconds = positive('seconds', values.seconds)
const seed = positive('seed', values.seed)

const results = await race({ rounds, seconds, seed, progress: line => process.stderr.write(`${line}\n`) })
const text = table(results, seconds)
process.stdout.write(`${text}\n`)
if (values.write) await writeInto(new URL('../README.md', import.meta.url), text)

function positive(name: string, value: string): number {
  const number = Number(value)
  if (Number.isInteger(number) && number > 0) return number
  process.stderr.write(`--${name}: expected a whole number over 0, saw ${value}\n`)
  process.exit(2)
}

async function writeInto(file: URL, text: string): Promise<void> {
  const [begin, end] = ['<!-- bench:begin -->', '<!-- bench:end -->']
  const readme = await readFile(file, 'utf8')
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)]
  const block = `${begin}\n${text}\n${end}`
  const written =
    from === -1 || to < from
      ? `${readme.trimEnd()}\n\n## What it costs\n\n${block}\n`
      : readme.slice(0, from) + block + readme.slice(to + end.length)
  await writeFile(file, written)
}
