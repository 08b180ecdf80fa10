// Writes schemas/report.schema.json; with --check it writes nothing and fails where the file is stale.
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { reportSchemaText } from './schema.ts'

const path = fileURLToPath(new URL('../../schemas/report.schema.json', import.meta.url))
const text = reportSchemaText()

if (!process.argv.includes('--check')) await writeFile(path, text)
else if ((await readFile(path, 'utf8').catch(() => '')) !== text) {
  console.error(`${path} is stale: npm run generate`)
  process.exitCode = 1
}
