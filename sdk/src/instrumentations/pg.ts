import { createRequire } from 'node:module'
import type { LibraryFile } from './modules.ts'

interface Definition {
  name: string
  patch?(exported: unknown, version: string): unknown
  files: { name: string; patch(exported: unknown, version: string): unknown }[]
}

let definitions: Definition[] | undefined

/** pg and its pool through OpenTelemetry's own instrumentation, loaded when the app loads pg. Queries outside of any span stay untraced. */
export const pg: readonly LibraryFile[] = [
  {
    library: 'pg',
    file: 'lib/client.js',
    majors: [8],
    patch: (exported, version) =>
      definition('pg')
        .files.find(file => file.name === 'pg/lib/client.js')!
        .patch(exported, version),
  },
  {
    library: 'pg-pool',
    file: 'index.js',
    majors: [2, 3],
    patch: (exported, version) => definition('pg-pool').patch!(exported, version),
  },
]

function definition(name: string): Definition {
  definitions ??= load()
  const found = definitions.find(candidate => candidate.name === name)
  if (!found) throw new Error(`@opentelemetry/instrumentation-pg has no definition for ${name}`)
  return found
}

function load(): Definition[] {
  const require = createRequire(import.meta.url)
  const { PgInstrumentation } =
    require('@opentelemetry/instrumentation-pg') as typeof import('@opentelemetry/instrumentation-pg')
  // Not enabled: our module hook hands the files over, so its own hooks are not needed.
  const instrumentation = new PgInstrumentation({ enabled: false, requireParentSpan: true })
  return (instrumentation as unknown as { init(): Definition[] }).init()
}
