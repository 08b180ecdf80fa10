// Regenerates every generated file; with --check it writes nothing and fails where one is stale.
import { spawnSync } from 'node:child_process'

const generators = [
  'dashboards/src/generate.ts',
  'sdk/docs/generate.ts',
  'chaos/src/experiment/schemas.ts',
  'chaos/src/report/generate-schema.ts',
  'demo-services/generate.mjs',
]
for (const generator of generators) {
  const { status } = spawnSync(
    process.execPath,
    ['--conditions=@shaketable/source', generator, ...process.argv.slice(2)],
    { stdio: 'inherit' },
  )
  if (status !== 0) process.exit(status ?? 1)
}
