import { existsSync, readFileSync } from 'node:fs'
import { allOf, firstOf, loadedPackages, type SeenProcess, titleOf } from '../seen.ts'
import { type Finding, problem } from './finding.ts'
import { isRegistered, registerFlag } from './start.ts'

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
export function libraries(app: SeenProcess, command: readonly string[]): Finding[] {
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
        `${titleOf(name, version)} was loaded before the SDK, so that it is not instrumented (${folder})`,
        earlyAdvice(app, command),
      ),
    )
  }
  for (const { reason } of allOf(app, 'uninstrumented')) {
    found.push(problem('SHAKETABLE_NOT_INSTRUMENTED', reason, 'use a version that is known, or update @shaketable/sdk'))
  }
  return [...found, ...bundled(app)]
}

function earlyAdvice(app: SeenProcess, command: readonly string[]): string {
  const { flags } = firstOf(app, 'process')!
  if (!isRegistered(flags)) return "load it after start(): await start(), and then await import('./server.js')"
  const [program = '', ...rest] = command
  const spelt = rest.findIndex(one => isRegistered(one))
  if (spelt > 0 && !rest.slice(0, spelt).some(one => /^(-r|--require)\b/.test(one))) {
    const words = rest[spelt]!.startsWith('--import') ? 1 : 2
    const others = rest.toSpliced(spelt + 1 - words, words)
    return `start it so: ${[program, registerFlag, ...others].join(' ')}`
  }
  return `load it by an --import after ${registerFlag}: --require goes before every --import, and so does NODE_OPTIONS`
}

/** Bundlers that keep the names of what they have put together tell by them; one that does not is not found out. */
function bundled(app: SeenProcess): Finding[] {
  const { script } = firstOf(app, 'process')!
  const apart = new Set(loadedPackages(app).map(one => one.name))
  const names = new Set(firstOf(app, 'hooks')!.files.map(one => one.library))
  const text = textOf(script)
  const inside = [...names].filter(name => !apart.has(name) && text.includes(`node_modules/${name}/`))
  if (inside.length === 0) return []
  return [
    problem(
      'SHAKETABLE_BUNDLED',
      `${inside.join(', ')} ${inside.length === 1 ? 'is' : 'are'} part of the bundle ${script}, where nothing can be instrumented`,
      'leave what is instrumented out of the bundle (esbuild: --packages=external; webpack: externals), and ship its node_modules',
    ),
  ]
}

function textOf(script: string): string {
  try {
    return readFileSync(script, 'utf8')
  } catch {
    return ''
  }
}

export function otherSdk(what: string): Finding {
  return problem(
    'SHAKETABLE_OTHER_SDK',
    `${what}: requests would have two spans, or spans of two SDKs that do not know one another`,
    'keep one of the two; instrumentations of other libraries need no SDK of their own',
  )
}
