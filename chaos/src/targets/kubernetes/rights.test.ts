import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parse } from 'yaml'
import { inWords, toInject, toLook, toReach } from './rights.ts'

interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

test('the Role that is shipped grants what the faults need, and nothing beyond', () => {
  const file = new URL('../../../docs/kubernetes-role.yaml', import.meta.url)
  const { rules } = parse(readFileSync(file, 'utf8')) as { rules: Rule[] }
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => inWords({ verb, group, resource })))),
  )
  const needed = [...toLook, ...toReach, ...Object.values(toInject).flat()].map(inWords)
  expect(granted.sort()).toEqual([...new Set(needed)].sort())
})
