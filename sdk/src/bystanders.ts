import { basename } from 'node:path'

const packageManagers = /^(npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)(-cli)?(\.[cm]?js)?$/

/** With `NODE_OPTIONS=--import=…` they start first, and would take the port of the service that they start. */
export function isPackageManager(script: string | undefined): boolean {
  return packageManagers.test(basename(script ?? ''))
}

/** The thread of a pino transport: it writes lines, and has nothing to tell. */
const logThread = /[\\/]thread-stream[\\/]lib[\\/]worker\.js$/

/** Who gets the `--import` too, but is no part of the service. */
export function isBystander(script: string | undefined): boolean {
  return isPackageManager(script) || logThread.test(script ?? '')
}
