import { existsSync } from 'node:fs'
import { allOf, firstOf, loadedPackages, type SeenProcess } from '../seen.ts'
import { type Finding, problem } from './finding.ts'
import { registerFlag } from './start.ts'

/** With the SDK beside them each request has two spans, or spans are parted among two SDKs. */
const otherSdks = new Set([
  '@appsignal/nodejs',
  '@elastic/opentelemetry-node',
  '@opentelemetry/auto-instrumentations-node',
  '@opentelemetry/instrumentation-http',
  '@opentelemetry/instrumentation-undici',
  '@sentry/node',
  'dd-trace',
  'elastic-apm-node',
  'newrelic',
])

/** What is loaded that the SDK does not see, does not know, or does not go with. */
export function libraries(app: SeenProcess): Finding[] {
  const hooksAt = app.observations.findIndex(one => one.event === 'hooks')
  const { files } = firstOf(app, 'hooks')!
  const found: Finding[] = []
  for (const { at, name, version, folder } of loadedPackages(app)) {
    if (otherSdks.has(name)) found.push(otherSdk(`${name} ${version} is loaded too (${folder})`))
    const hookable = files.some(one => one.library === name && existsSync(`${folder}/${one.file}`))
    if (at > hooksAt || !hookable) continue
    found.push(
      problem(
        'SHAKETABLE_LOADED_TOO_EARLY',
        `${name} ${version} was loaded before the SDK, so that it is not instrumented (${folder})`,
        `put ${registerFlag} before any other --import or --require; with start(), load the library after it`,
      ),
    )
  }
  for (const { reason } of allOf(app, 'uninstrumented')) {
    found.push(problem('SHAKETABLE_NOT_INSTRUMENTED', reason, 'use a version that is known, or update @shaketable/sdk'))
  }
  return found
}

export function otherSdk(what: string): Finding {
  return problem(
    'SHAKETABLE_OTHER_SDK',
    `${what}: requests would have two spans, or spans of two SDKs that do not know one another`,
    'keep one of the two; instrumentations of other libraries need no SDK of their own',
  )
}
