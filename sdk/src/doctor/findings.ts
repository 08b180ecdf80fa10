import { existsSync } from 'node:fs'
import { isPackageManager } from '../bystanders.ts'
import { allOf, canaryOf, firstOf, type LoadedPackage, packageAt, type SdkState, type SeenProcess } from './seen.ts'

/** Each has a section in docs/troubleshooting.md. They never change their meaning. */
export const findingCodes = [
  'SHAKETABLE_API_COPIES',
  'SHAKETABLE_APP_FAILED',
  'SHAKETABLE_APP_KILLED',
  'SHAKETABLE_APP_SILENT',
  'SHAKETABLE_FLAG_MISSING',
  'SHAKETABLE_LOADED_TOO_EARLY',
  'SHAKETABLE_LOGS_NOT_DELIVERED',
  'SHAKETABLE_LOGS_UNTRACED',
  'SHAKETABLE_METRICS_NOT_DELIVERED',
  'SHAKETABLE_METRICS_OFF',
  'SHAKETABLE_METRICS_UNREACHABLE',
  'SHAKETABLE_NODE_UNSUPPORTED',
  'SHAKETABLE_NOT_INSTRUMENTED',
  'SHAKETABLE_NO_NODE',
  'SHAKETABLE_OTHER_SDK',
  'SHAKETABLE_PORT_TAKEN',
  'SHAKETABLE_SDK_DISABLED',
  'SHAKETABLE_SDK_FAILED',
  'SHAKETABLE_SERVICE_UNNAMED',
  'SHAKETABLE_TRACES_NOT_DELIVERED',
  'SHAKETABLE_TRACES_OFF',
  'SHAKETABLE_VARIABLE_IGNORED',
  'SHAKETABLE_VARIABLE_REFUSED',
  'SHAKETABLE_VARIABLE_UNKNOWN',
] as const

export interface Finding {
  code: (typeof findingCodes)[number]
  /** A `problem` makes the exit code 1; a `note` may be as you want it. */
  level: 'problem' | 'note'
  message: string
  /** What to do next. */
  advice: string
}

/** Everything that was seen of the app, from its start to its end. */
export interface Examination {
  command: readonly string[]
  processes: SeenProcess[]
  /** By pid: what `/metrics` answered. */
  scrapes: ReadonlyMap<number, Scrape>
  waitMs: number
  graceMs: number
  end: AppEnd
}

export interface Scrape {
  url: string
  /** Samples on the page; none when it could not be read, and then `failure` says why. */
  samples: number
  failure?: string
}

export interface AppEnd {
  /** Whether it ended before the doctor asked it to. */
  byItself: boolean
  code: number | null
  signal: NodeJS.Signals | null
  /** Whether SIGTERM was not enough. */
  killed: boolean
  /** The last lines of its stderr. */
  lastWords: string
}

const registerFlag = '--import @shaketable/sdk/register'

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

/** What is wrong, and what to do, in the order in which one would look; each thing once, however many processes say it. */
export function findings(examination: Examination): Finding[] {
  const apps = appsOf(examination.processes)
  const instrumented = apps.filter(app => firstOf(app, 'sdk'))
  const found = [
    ...(instrumented.length === 0 ? withoutSdk(examination, apps) : []),
    ...instrumented.flatMap(app => [
      ...nodeVersion(app),
      ...libraries(app),
      ...apiCopies(app),
      ...signals(app, examination),
      ...variables(firstOf(app, 'sdk')!),
    ]),
    ...ending(examination, apps),
  ]
  return [...new Map(found.map(one => [`${one.code} ${one.message}`, one])).values()]
}

/** The processes that the SDK is for. */
export function appsOf(processes: readonly SeenProcess[]): SeenProcess[] {
  return processes.filter(one => firstOf(one, 'process') && !isPackageManager(firstOf(one, 'process')?.script))
}

function problem(code: Finding['code'], message: string, advice: string): Finding {
  return { code, level: 'problem', message, advice }
}

function note(code: Finding['code'], message: string, advice: string): Finding {
  return { code, level: 'note', message, advice }
}

function withoutSdk({ command, end }: Examination, apps: readonly SeenProcess[]): Finding[] {
  const started = apps.map(app => firstOf(app, 'process')!)
  if (started.length === 0) {
    return [
      problem(
        'SHAKETABLE_NO_NODE',
        `${command[0]} started no Node process that the doctor could look into`,
        'name the command that starts Node itself; inside a container, run the doctor there',
      ),
    ]
  }
  const old = apps.flatMap(nodeVersion)
  if (old.length > 0) return old
  if (started.some(one => one.disabled)) {
    return [
      problem(
        'SHAKETABLE_SDK_DISABLED',
        'OTEL_SDK_DISABLED=true switches the SDK off: nothing is traced or measured',
        'take the variable away where you want telemetry',
      ),
    ]
  }
  if (started.some(one => /@shaketable\/sdk\S*register/.test(one.flags))) {
    const said = /^shaketable: (the SDK cannot start.*)$/m.exec(end.lastWords)?.[1]
    return [
      problem(
        'SHAKETABLE_SDK_FAILED',
        `the flag is there, but the SDK did not start${said ? `: ${said}` : ''}`,
        'the app says why on stderr: run the doctor again with --show-output',
      ),
    ]
  }
  return [problem('SHAKETABLE_FLAG_MISSING', 'the SDK is not loaded by this command', flagAdvice(command))]
}

function flagAdvice(command: readonly string[]): string {
  const [program = '', ...rest] = command
  if (/(^|[\\/])node(\.exe)?$/.test(program)) return `start it so: ${[program, registerFlag, ...rest].join(' ')}`
  return `add it to the node command that ${program} runs, or start it so: NODE_OPTIONS='${registerFlag.replace(' ', '=')}' ${command.join(' ')}`
}

/** The `engines` of this package. */
function isSupported(nodeVersion: string): boolean {
  const [major = 0, minor = 0, patch = 0] = nodeVersion.split('.').map(part => Number.parseInt(part, 10))
  const atLeast = (a: number, b: number) => minor > a || (minor === a && patch >= b)
  return (major === 22 && atLeast(22, 3)) || (major === 24 && atLeast(11, 1)) || major >= 26
}

function nodeVersion(app: SeenProcess): Finding[] {
  const { nodeVersion } = firstOf(app, 'process')!
  if (isSupported(nodeVersion)) return []
  return [
    problem(
      'SHAKETABLE_NODE_UNSUPPORTED',
      `the app runs on Node ${nodeVersion}, and the SDK needs ^22.22.3 || ^24.11.1 || >=26`,
      'run it on a current Node 24',
    ),
  ]
}

function libraries(app: SeenProcess): Finding[] {
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

/** With `at`, the place among the observations. */
export function loadedPackages(app: SeenProcess): (LoadedPackage & { at: number })[] {
  return app.observations.flatMap((one, at) => {
    const loaded = one.event === 'package' ? packageAt(one.url) : undefined
    return loaded ? [{ ...loaded, at }] : []
  })
}

export function loadedApis(app: SeenProcess): LoadedPackage[] {
  return loadedPackages(app)
    .filter(one => one.name === '@opentelemetry/api')
    .map(({ name, version, folder }) => ({ name, version, folder }))
}

function otherSdk(what: string): Finding {
  return problem(
    'SHAKETABLE_OTHER_SDK',
    `${what}: requests would have two spans, or spans of two SDKs that do not know one another`,
    'keep one of the two; instrumentations of other libraries need no SDK of their own',
  )
}

function apiCopies(app: SeenProcess): Finding[] {
  const { apiVersion, apiRegistered } = firstOf(app, 'sdk')!
  const copies = loadedApis(app)
  const deaf = copies.filter(copy => !reaches(copy.version, apiVersion))
  const found: Finding[] = apiRegistered ? [] : [otherSdk('another OpenTelemetry SDK was registered first')]
  for (const copy of deaf) {
    found.push(
      problem(
        'SHAKETABLE_API_COPIES',
        `@opentelemetry/api ${copy.version} in ${copy.folder} does not reach the SDK, which registered with ${apiVersion}: spans made through that copy are lost`,
        `npm install @opentelemetry/api@${copy.version} beside @shaketable/sdk, then npm dedupe`,
      ),
    )
  }
  if (deaf.length === 0 && copies.length > 1) {
    const where = copies.map(copy => `${copy.version} in ${copy.folder}`).join(', ')
    found.push(
      note(
        'SHAKETABLE_API_COPIES',
        `${copies.length} copies of @opentelemetry/api, which work together: ${where}`,
        'npm dedupe',
      ),
    )
  }
  return found
}

/** The API's own rule: the same major, and a minor that is not newer than that of the copy which registered. */
function reaches(version: string, registered: string): boolean {
  const [major, minor = 0] = version.split('.').map(Number)
  const [registeredMajor, registeredMinor = 0] = registered.split('.').map(Number)
  return major === registeredMajor && minor <= registeredMinor
}

function signals(app: SeenProcess, { scrapes, end }: Examination): Finding[] {
  const scrape = scrapes.get(app.pid)
  const sdk = firstOf(app, 'sdk')!
  const canary = canaryOf(app, 'traces')
  const { host, port, listeningOn } = sdk.admin
  const found: Finding[] = []
  if (sdk.service.startsWith('unknown_service')) {
    found.push(
      note(
        'SHAKETABLE_SERVICE_UNNAMED',
        `the service has no name, it is sent as ${sdk.service}`,
        'set OTEL_SERVICE_NAME',
      ),
    )
  }
  if (sdk.spans.exporter !== 'otlp') {
    const why = `spans are not sent over OTLP, but go ${sdk.spans.destination ? `to ${sdk.spans.destination}` : 'nowhere'}`
    found.push(note('SHAKETABLE_TRACES_OFF', why, 'set OTEL_TRACES_EXPORTER=otlp where a collector is'))
  } else if (canary ? canary.outcome !== 'sent' : !end.byItself) {
    const none = sdk.spans.destination ? 'no answer came while the doctor waited' : 'its exporter cannot be opened'
    const reason = canary?.reason ?? none
    found.push(
      problem(
        'SHAKETABLE_TRACES_NOT_DELIVERED',
        `a test span did not get through${sdk.spans.destination ? `, ${sdk.spans.destination}` : ''}: ${reason}`,
        'start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT, _PROTOCOL and _HEADERS; http listens on 4318, grpc on 4317',
      ),
    )
  }
  if (listeningOn === undefined) {
    found.push(
      problem(
        'SHAKETABLE_PORT_TAKEN',
        `health and metrics cannot listen on ${host}:${port}`,
        'end what listens there, or set OTEL_EXPORTER_PROMETHEUS_PORT; 0 takes a free port',
      ),
    )
  } else if (!sdk.scraped && !sdk.pushedTo) {
    found.push(
      note(
        'SHAKETABLE_METRICS_OFF',
        'metrics are neither scraped nor sent',
        'set OTEL_METRICS_EXPORTER to prometheus or otlp',
      ),
    )
  } else if (sdk.scraped && !end.byItself && !scrape?.samples) {
    const reason = scrape?.failure ?? 'the page is empty'
    found.push(
      problem(
        'SHAKETABLE_METRICS_UNREACHABLE',
        `/metrics on port ${listeningOn} cannot be scraped: ${reason}`,
        'see whether OTEL_EXPORTER_PROMETHEUS_HOST is an address of this machine',
      ),
    )
  }
  const pushed = canaryOf(app, 'metrics')
  if (sdk.pushedTo && (pushed ? pushed.outcome !== 'sent' : !end.byItself)) {
    const reason = pushed?.reason ?? 'no answer came while the doctor waited'
    found.push(
      problem(
        'SHAKETABLE_METRICS_NOT_DELIVERED',
        `metrics do not get through, ${sdk.pushedTo}: ${reason}`,
        'start the collector, or correct the OTEL_EXPORTER_OTLP_[METRICS_] variables',
      ),
    )
  }
  const logged = canaryOf(app, 'logs')
  if (sdk.logsTo && (logged ? logged.outcome !== 'sent' : !end.byItself)) {
    const reason = logged?.reason ?? 'no answer came while the doctor waited'
    found.push(
      problem(
        'SHAKETABLE_LOGS_NOT_DELIVERED',
        `logs do not get through, ${sdk.logsTo}: ${reason}`,
        'start the collector, or correct the OTEL_EXPORTER_OTLP_[LOGS_] variables',
      ),
    )
  }
  for (const line of allOf(app, 'logLine').filter(one => !one.traced)) {
    found.push(
      problem(
        'SHAKETABLE_LOGS_UNTRACED',
        `a line of pino ${line.version} under a span carries no trace_id`,
        'update @shaketable/sdk, or report it with your version of pino',
      ),
    )
  }
  return found
}

function variables(sdk: SdkState): Finding[] {
  return sdk.variables.map(one => {
    if (one.kind === 'refused') {
      return problem('SHAKETABLE_VARIABLE_REFUSED', one.line, 'correct the value, or take the variable away')
    }
    if (one.kind === 'ignored') {
      return problem(
        'SHAKETABLE_VARIABLE_IGNORED',
        `${one.name} has no effect here`,
        'take it away; the README of @shaketable/sdk lists what is honoured, and what it needs beside it',
      )
    }
    return problem(
      'SHAKETABLE_VARIABLE_UNKNOWN',
      `${one.name} is not known, and has no effect`,
      one.nearest ? `did you mean ${one.nearest}?` : 'take it away, or correct its name',
    )
  })
}

function ending({ end, waitMs, graceMs }: Examination, apps: readonly SeenProcess[]): Finding[] {
  const listens = apps.some(app => firstOf(app, firstOf(app, 'sdk') ? 'serves' : 'listens'))
  const found: Finding[] = []
  if (end.byItself && end.code !== 0) {
    const last = gist(end.lastWords)
    found.push(
      problem(
        'SHAKETABLE_APP_FAILED',
        `the app ended by itself with ${end.signal ?? `exit code ${end.code}`}${last ? `: ${last}` : ''}`,
        'see that it starts without the doctor; --show-output shows all that it prints',
      ),
    )
  } else if (!listens && apps.length > 0) {
    const when = end.byItself ? 'before it ended' : `within ${waitMs} ms`
    found.push(
      note(
        'SHAKETABLE_APP_SILENT',
        `no server of the app began to listen ${when}`,
        'for a slow start give --wait-ms more',
      ),
    )
  }
  if (end.killed) {
    found.push(
      problem(
        'SHAKETABLE_APP_KILLED',
        `the app did not end within ${graceMs} ms of SIGTERM and was killed: what it still held was lost`,
        'see what keeps it: a SIGTERM handler that does not exit, or a request that does not end (SHAKETABLE_DRAIN_TIMEOUT)',
      ),
    )
  }
  return found
}

/** The line that names the error, else the last one. */
function gist(words: string): string | undefined {
  const lines = words.split('\n').filter(line => line.trim() !== '')
  return lines.findLast(line => /^\w*Error\b/.test(line)) ?? lines.at(-1)
}
