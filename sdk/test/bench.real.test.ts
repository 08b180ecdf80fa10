import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { type Round, shareOf } from '../bench/ratios.ts'

/** Of what the stack assembled by hand adds. The goals are 10 % and 15 %; a busy machine has shown 31 % and 27 %. */
const limits = { '/hello': 0.5, '/orders': 0.5 }

interface Race {
  stdout: string
  hello: number
  orders: number
}

async function race(rounds: number): Promise<Race> {
  const folder = await mkdtemp(join(tmpdir(), 'shaketable-bench-'))
  try {
    const json = join(folder, 'rounds.json')
    const main = join(import.meta.dirname, '../bench/main.ts')
    const options = [
      '--contenders',
      'bare,hand,ours',
      '--rounds',
      String(rounds),
      '--seconds',
      '2',
      '--warm',
      '1',
      '--json',
      json,
    ]
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...options])
    const results = JSON.parse(await readFile(json, 'utf8')) as Round[]
    const share = (route: keyof typeof limits) => shareOf('hand', results, 'ours', route)
    return { stdout, hello: share('/hello'), orders: share('/orders') }
  } finally {
    await rm(folder, { recursive: true })
  }
}

const isWithin = ({ hello, orders }: Race) => hello < limits['/hello'] && orders < limits['/orders']

test('all signals cost less than half of what the stack assembled by hand costs', { timeout: 600_000 }, async () => {
  installDebianPackages('wrk')
  const short = await race(3)
  expect(short.stdout.split('\n').filter(line => line.startsWith('| **@shaketable/sdk, all signals**'))).toHaveLength(3)
  // A neighbour on the machine may spoil three rounds: a longer race has the last word.
  const last = isWithin(short) ? short : await race(7)
  expect(isWithin(last), last.stdout).toBe(true)
})
