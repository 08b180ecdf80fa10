// Who may import whom (CONTRIBUTING.md draws it). Fails naming file, line and the import.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { dirname, normalize } from 'node:path'

const mayImport = {
  sdk: [],
  slo: [],
  dashboards: ['@shaketable/slo', '@shaketable/sdk/names'],
  chaos: ['@shaketable/slo', '@shaketable/dashboards', '@shaketable/sdk/names', '@shaketable/sdk/faults'],
  'demo-services': ['@shaketable/sdk', '@shaketable/sdk/register', '@shaketable/sdk/faults'],
}
const own = {
  sdk: '@shaketable/sdk',
  slo: '@shaketable/slo',
  dashboards: '@shaketable/dashboards',
  chaos: 'shaketable',
}
const ours = /^(@shaketable\/|shaketable(\/|$))/
const importing = /\b(?:from|import)\s*\(?\s*(['"])([^'"]+)\1/g

const files = execFileSync(
  'git',
  ['ls-files', '--cached', '--others', '--exclude-standard', ...Object.keys(mayImport)],
  {
    encoding: 'utf8',
  },
)
  .split('\n')
  .filter(file => /\.(ts|mts|mjs|js)$/.test(file) && !/\/(fixtures|generated|dist)\//.test(file))

let broken = 0
for (const file of files) {
  const room = file.split('/')[0]
  readFileSync(file, 'utf8')
    .split('\n')
    .forEach((line, index) => {
      for (const [, , specifier] of line.matchAll(importing)) {
        const reason = objection(room, file, specifier)
        if (!reason) continue
        console.error(`${file}:${index + 1}: ${reason}`)
        broken++
      }
    })
}
if (files.length < 20) throw new Error(`import rules: only ${files.length} files found: is this the root of the house?`)
console.log(`import rules: ${files.length} files, ${broken} broken`)
process.exitCode = broken ? 1 : 0

function objection(room, file, specifier) {
  if (specifier.startsWith('.')) {
    const target = normalize(`${dirname(file)}/${specifier}`)
    // start.mjs stands in for the user at the shell: it runs the command, it does not use its modules.
    const isTheCommand = target === 'chaos/bin/shaketable.mjs' && file === 'demo-services/start.mjs'
    // Tests may ask .ci for the real programs that they need.
    const isATool = target.startsWith('.ci/tools/') && /\/(test|bench)\//.test(file)
    return target.split('/')[0] === room || isTheCommand || isATool
      ? undefined
      : `${specifier} reaches into another room`
  }
  if (!ours.test(specifier) || specifier === own[room] || specifier.startsWith(`${own[room]}/`)) return undefined
  return mayImport[room].includes(specifier)
    ? undefined
    : `${room} may not import ${specifier} (it may: ${mayImport[room].join(', ') || 'no other room'})`
}
