import * as nodeModule from 'node:module'
import { basename } from 'node:path'
import { isMainThread } from 'node:worker_threads'

/** With `NODE_OPTIONS=--import=…` they start first, and would take the port of the service that they start. */
const packageManagers = /^(npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)(-cli)?(\.[cm]?js)?$/

// Worker threads inherit `--import`; the listener and the signals belong to the main thread.
if (!('registerHooks' in nodeModule)) {
  process.stderr.write(
    `shaketable: the SDK needs Node ^22.22.3 || ^24.11.1 || >=26, and this is ${process.versions.node}: the service runs without it\n`,
  )
} else if (isMainThread && !packageManagers.test(basename(process.argv[1] ?? ''))) {
  try {
    const { start } = await import('./start.ts')
    await start()
  } catch (error) {
    // An uninstrumented service is better than none.
    process.stderr.write(`shaketable: the SDK cannot start, the service runs without it: ${String(error)}\n`)
  }
}
