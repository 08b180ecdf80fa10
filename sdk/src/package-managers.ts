import { basename } from 'node:path'

const names = /^(npm|npx|yarn|yarnpkg|pnpm|pnpx|corepack)(-cli)?(\.[cm]?js)?$/

/** With `NODE_OPTIONS=--import=…` they start first, and would take the port of the service that they start. */
export function isPackageManager(script: string | undefined): boolean {
  return names.test(basename(script ?? ''))
}
