// Writes what is made from the shop's system.yaml and objectives/: the rules that Prometheus loads, and the journeys and thresholds
// that k6 reads. With --check it writes nothing and fails where a file is stale.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const here = new URL('.', import.meta.url)
const path = file => fileURLToPath(new URL(file, here))

const { journeys } = parse(readFileSync(path('system.yaml'), 'utf8')).spec
const byName = Object.fromEntries(journeys.map(({ name, ...journey }) => [name, journey]))
const ofObjectives = what =>
  execFileSync(process.execPath, [path('../chaos/bin/shaketable.mjs'), 'slo', what, path('objectives')], {
    encoding: 'utf8',
  })

const files = {
  'generated/rules.yaml': ofObjectives('rules'),
  'load/generated/journeys.json': `${JSON.stringify(byName, null, 2)}\n`,
  'load/generated/objectives.js': ofObjectives('k6'),
  'load/generated/objectives.d.ts': `export const thresholds: Record<string, string[]>
export function judge(
  response: { status: number; timings: { duration: number } },
  request: { service: string; method: string; route: string },
): void
`,
}

const stale = Object.keys(files).filter(file => read(file) !== files[file])
if (!process.argv.includes('--check')) {
  for (const file of stale) {
    mkdirSync(dirname(path(file)), { recursive: true })
    writeFileSync(path(file), files[file])
  }
} else if (stale.length > 0) {
  console.error(`demo-services: stale are ${stale.join(', ')}. Run demo-services/generate.mjs.`)
  process.exitCode = 1
}

function read(file) {
  try {
    return readFileSync(path(file), 'utf8')
  } catch {
    return undefined
  }
}
