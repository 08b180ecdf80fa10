// Writes generated/: the journeys of system.yaml and the thresholds of objectives/, as k6 reads them. With --check it writes
// nothing and fails where one is stale.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parse } from 'yaml'

const here = new URL('.', import.meta.url)
const path = file => fileURLToPath(new URL(file, here))

const { journeys } = parse(readFileSync(path('../system.yaml'), 'utf8')).spec
const byName = Object.fromEntries(journeys.map(({ name, ...journey }) => [name, journey]))
const command = [path('../../chaos/bin/shaketable.mjs'), 'slo', 'k6', path('../objectives')]

const files = {
  'journeys.json': `${JSON.stringify(byName, null, 2)}\n`,
  'objectives.js': execFileSync(process.execPath, command, { encoding: 'utf8' }),
  'objectives.d.ts': `export const thresholds: Record<string, string[]>
export function judge(
  response: { status: number; timings: { duration: number } },
  request: { service: string; method: string; route: string },
): void
`,
}

mkdirSync(path('generated'), { recursive: true })
const stale = Object.keys(files).filter(name => read(name) !== files[name])
if (!process.argv.includes('--check')) for (const name of stale) writeFileSync(path(`generated/${name}`), files[name])
else if (stale.length > 0) {
  console.error(`demo-services/load/generated is stale: ${stale.join(', ')}. Run demo-services/load/generate.mjs.`)
  process.exitCode = 1
}

function read(name) {
  try {
    return readFileSync(path(`generated/${name}`), 'utf8')
  } catch {
    return undefined
  }
}
