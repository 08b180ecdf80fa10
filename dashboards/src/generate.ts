/** Writes `dashboards/generated/`; with `--check` it writes nothing and fails where a file is stale. */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { generatedFiles } from './index.ts'

const folder = new URL('../generated/', import.meta.url)
const files = generatedFiles()
mkdirSync(folder, { recursive: true })
const present = readdirSync(folder)
const left = present.filter(name => !(name in files))
const stale = Object.keys(files).filter(
  name => !present.includes(name) || readFileSync(new URL(name, folder), 'utf8') !== files[name],
)

if (process.argv.includes('--check')) {
  if (stale.length + left.length > 0) {
    console.error(`dashboards/generated is stale: ${[...stale, ...left].join(', ')}. Run dashboards/src/generate.ts.`)
    process.exitCode = 1
  }
} else {
  for (const name of stale) writeFileSync(new URL(name, folder), files[name] ?? '')
  for (const name of left) rmSync(new URL(name, folder))
}
