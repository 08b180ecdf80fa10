import * as nodeModule from 'node:module'
import { isBystander } from './bystanders.ts'

if (!('registerHooks' in nodeModule)) {
  process.stderr.write(
    `shaketable: the SDK needs Node ^22.22.3 || ^24.11.1 || >=26, and this is ${process.versions.node}: the service runs without it\n`,
  )
} else if (!isBystander(process.argv[1])) {
  try {
    const { start } = await import('./start.ts')
    await start()
  } catch (error) {
    // An uninstrumented service is better than none.
    process.stderr.write(`shaketable: the SDK cannot start, the service runs without it: ${String(error)}\n`)
  }
}
