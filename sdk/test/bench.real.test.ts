import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { type Round, shareOf } from '../bench/ratios.ts'

/** Of what the stack assembled by hand adds. The goals are 10 % and 15 %: what fails here is no noise of the machine. */
const limits = { '/hello': 0.25, '/orders': 0.45 }

test('all signals cost a small part of what the stack assembled by hand costs', async () => {
  installDebianPackages('wrk')
  const folder = await mkdtemp(join(tmpdir(), 'shaketable-bench-'))
  try {
    const json = join(folder, 'rounds.json')
    const main = join(import.meta.dirname, '../bench/main.ts')
    const options = ['--contenders', 'bare,hand,ours', '--rounds', '3', '--seconds', '2', '--json', json]
    const { stdout } = await promisify(execFile)(process.execPath, [main, ...options])
    const rounds = JSON.parse(await readFile(json, 'utf8')) as Round[]
    const shares = Object.keys(limits).map(route => shareOf('hand', rounds, 'ours', route as keyof typeof limits))
    expect(shares[0], stdout).toBeLessThan(limits['/hello'])
    expect(shares[1], stdout).toBeLessThan(limits['/orders'])
    expect(stdout.split('\n').filter(line => line.startsWith('| **@shaketable/sdk, all signals**'))).toHaveLength(3)
  } finally {
    await rm(folder, { recursive: true })
  }
})
