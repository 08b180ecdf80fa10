/**
 * Writes `chaos/schemas/{system,experiment}.schema.json` from the schemas that the reader itself uses, for completion in
 * editors. `--check` writes nothing and exits 1 when a file is not what it would be.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { experimentSchema } from './experiment-schema.ts'
import { systemSchema } from './system-schema.ts'

const folder = new URL('../../schemas/', import.meta.url)

/** File name -> JSON Schema (draft 2020-12) of what stands in a file, before defaults. */
export function jsonSchemas(): Record<string, object> {
  const schema = (name: string, title: string, from: z.ZodType) => ({
    [`${name}.schema.json`]: {
      $id: `https://shaketable.dev/schemas/v1alpha1/${name}.schema.json`,
      title,
      ...z.toJSONSchema(from, { io: 'input', unrepresentable: 'any' }),
    },
  })
  return {
    ...schema('system', 'Shaketable System', systemSchema),
    ...schema('experiment', 'Shaketable Experiment', experimentSchema),
  }
}

function main(check: boolean): number {
  let stale = 0
  mkdirSync(folder, { recursive: true })
  for (const [name, schema] of Object.entries(jsonSchemas())) {
    const file = new URL(name, folder)
    const text = `${JSON.stringify(schema, null, 2)}\n`
    if (!check) writeFileSync(file, text)
    else if (current(file) !== text) {
      stale++
      console.error(
        `${fileURLToPath(file)} is stale: run node --conditions=@shaketable/source chaos/src/experiment/schemas.ts`,
      )
    }
  }
  return stale === 0 ? 0 : 1
}

function current(file: URL): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = main(process.argv.includes('--check'))
