import { createRequire } from 'node:module'

/** Of this package, from its package.json, which stands two folders up both from source and built. */
export const version: string = createRequire(import.meta.url)('../package.json').version
