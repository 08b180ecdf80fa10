import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { bugs, plantedBugs } from '@shop/kit/bugs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = (path: string) => readFileSync(`${root}/${path}`, 'utf8')
const key: Record<string, { service: string; experiment: string }> = parse(text('bugs.yaml'))

test('the answer key knows every bug, where it is planted, and an experiment for it', () => {
  expect(Object.keys(key)).toEqual([...bugs])
  expect(bugs.length).toBeGreaterThanOrEqual(8)
  const experiments = readdirSync(`${root}/experiments/bugs`).map(name => name.replace('.yaml', ''))
  expect(new Set(Object.values(key).map(({ experiment }) => experiment))).toEqual(new Set(experiments))
  for (const [bug, { service }] of Object.entries(key)) expect(text(`${service}/src/main.ts`)).toContain(`'${bug}'`)
})

test('the page tells of each bug as the answer key does', () => {
  const rows = [...text('README.md').matchAll(/^\| `([a-z-]+)`: [^|]* \| (\w+) \| `([a-z-]+)` \|/gm)]
  expect(Object.fromEntries(rows.map(([, bug, service, experiment]) => [bug, { service, experiment }]))).toEqual(key)
})

test('none is planted unless it is asked for, and a name that is none is refused', () => {
  expect([...plantedBugs('')]).toEqual([])
  expect([...plantedBugs('lying-health, pool-too-small')]).toEqual(['lying-health', 'pool-too-small'])
  expect(() => plantedBugs('lying')).toThrow(/^BUGS: saw "lying", expected some of timeout-over-caller, /)
})
