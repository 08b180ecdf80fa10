import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, expect, test } from 'vitest'
import { installDebianPackages } from '../../.ci/tools/debian.ts'
import { run } from './processes.ts'

const house = fileURLToPath(new URL('../..', import.meta.url))
const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const commands = /```sh\n([\s\S]*?)\n```/.exec(readme)![1]!.split('\n')

beforeAll(() => installDebianPackages('prometheus', 'prometheus-alertmanager', 'docker-compose'))

test('the page names four checks, the last of which is the one that runs this', () => {
  expect(commands).toHaveLength(4)
  expect(commands.at(-1)).toBe('npm run test:real -- collector-config')
})

test.each(commands.slice(0, -1))('%s', command => {
  expect(run('sh', ['-c', command], house)).toMatchObject({ code: 0 })
})
