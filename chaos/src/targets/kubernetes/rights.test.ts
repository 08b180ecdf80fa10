import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { inWords, type Right, toInject, toKeep, toLook, toReach, toUndo } from './rights.ts'

interface Rule {
  apiGroups: string[]
  resources: string[]
  verbs: string[]
}

function granted(file: string): string[] {
  const [document] = parseAllDocuments(readFileSync(new URL(`../../../docs/${file}`, import.meta.url), 'utf8'))
    .map(each => each.toJS() as { kind: string; rules: Rule[] })
    .filter(({ kind }) => kind === 'Role')
  return document!.rules
    .flatMap(({ apiGroups, resources, verbs }) =>
      apiGroups.flatMap(group => resources.flatMap(resource => verbs.map(verb => inWords({ verb, group, resource })))),
    )
    .sort()
}
const sorted = (rights: Right[]) => [...new Set(rights.map(inWords))].sort()

test('the Role that is shipped grants what the faults need, and nothing beyond', () => {
  const needed = [...toLook, ...toReach, ...toKeep, ...Object.values(toInject).flat()]
  expect(granted('kubernetes-role.yaml')).toEqual(sorted(needed))
})

test('the Role of the keeper in the cluster grants what it undoes, and nothing beyond', () => {
  expect(granted('kubernetes-keeper.yaml')).toEqual(sorted(toUndo))
})
