import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import type { Examination } from './examination.ts'
import { findingCodes } from './findings/finding.ts'
import { findings } from './findings.ts'
import type { Observation, SdkState } from './seen.ts'

const temporary = mkdtempSync(join(tmpdir(), 'shaketable-findings-'))
afterAll(() => rmSync(temporary, { recursive: true }))

type Of<Event> = Extract<Observation, { event: Event }>

const process: Of<'process'> = {
  event: 'process',
  nodeVersion: '24.11.1',
  script: '/app/server.js',
  flags: '--import @shaketable/sdk/register',
  disabled: false,
}
const sdk: SdkState = {
  event: 'sdk',
  service: 'orders',
  sdkVersion: '1.0.0',
  apiVersion: '1.9.0',
  apiRegistered: true,
  spans: { exporter: 'otlp', destination: 'OTLP' },
  scraped: true,
  pushedTo: undefined,
  logsTo: undefined,
  admin: { host: '127.0.0.1', port: 9464, listeningOn: 9464 },
  variables: [],
}
const hooks: Of<'hooks'> = { event: 'hooks', files: [{ library: 'pino', file: 'lib/tools.js' }] }
const arrived: Observation = { event: 'canary', signal: 'traces', outcome: 'sent', ms: 1 }
const serves: Observation = { event: 'serves', port: 3000 }
const healthy = [process, hooks, sdk, arrived, serves]

const installed = (name: string) => fileURLToPath(new URL(`../../../node_modules/${name}`, import.meta.url))
const loaded = (name: string): Observation => ({ event: 'package', url: `file://${installed(name)}` })

function examined(observations: Observation[], other: Partial<Examination> = {}) {
  return findings({
    command: ['node', 'server.js'],
    processes: observations.length === 0 ? [] : [{ pid: 7, observations }],
    scrapes: new Map([[7, { url: 'http://127.0.0.1:9464/metrics', samples: 50 }]]),
    waitMs: 1_000,
    graceMs: 2_000,
    end: { byItself: false, code: null, signal: 'SIGTERM', killed: false, lastWords: '' },
    ...other,
  })
}

const withSdk = (changed: Partial<SdkState>) => healthy.map(one => (one === sdk ? { ...sdk, ...changed } : one))
const bare = (changed: Partial<typeof process>): Observation[] => [
  { ...process, flags: '', ...changed },
  { event: 'listens', port: 3000 },
]
/** As esbuild marks what it has put together. */
const bundle = `${temporary}/server.cjs`
writeFileSync(bundle, '// ../node_modules/pino/lib/tools.js\nvar require_tools = {}\n')

const endedBadly = { byItself: true, code: 1, signal: null, killed: false, lastWords: 'Error: no database\n' }

test('a healthy app has no findings', () => {
  expect(examined(healthy)).toEqual([])
})

const cases: Record<(typeof findingCodes)[number], [Observation[], Partial<Examination>?]> = {
  SHAKETABLE_API_COPIES: [[...withSdk({ apiVersion: '1.4.0' }), loaded('@opentelemetry/api')]],
  SHAKETABLE_APP_FAILED: [healthy, { end: endedBadly }],
  SHAKETABLE_APP_KILLED: [healthy, { end: { ...endedBadly, byItself: false, killed: true } }],
  SHAKETABLE_APP_SILENT: [healthy.filter(one => one !== serves)],
  SHAKETABLE_BUNDLED: [healthy.map(one => (one === process ? { ...process, script: bundle } : one))],
  SHAKETABLE_FLAG_MISSING: [bare({})],
  SHAKETABLE_LOADED_TOO_EARLY: [[process, loaded('pino'), hooks, sdk, arrived, serves]],
  SHAKETABLE_LOGS_UNTRACED: [[...healthy, { event: 'logLine', version: '10.0.0', traced: false }]],
  SHAKETABLE_LOGS_NOT_DELIVERED: [withSdk({ logsTo: 'OTLP' })],
  SHAKETABLE_METRICS_NOT_DELIVERED: [withSdk({ pushedTo: 'OTLP' })],
  SHAKETABLE_METRICS_OFF: [withSdk({ scraped: false })],
  SHAKETABLE_METRICS_UNREACHABLE: [healthy, { scrapes: new Map() }],
  SHAKETABLE_NODE_UNSUPPORTED: [bare({ nodeVersion: '22.22.2' })],
  SHAKETABLE_NOT_INSTRUMENTED: [
    [...healthy, { event: 'uninstrumented', library: 'pino', version: '99.0.0', reason: 'pino 99' }],
  ],
  SHAKETABLE_NO_NODE: [[]],
  SHAKETABLE_OTHER_SDK: [withSdk({ apiRegistered: false })],
  SHAKETABLE_PORT_TAKEN: [withSdk({ admin: { ...sdk.admin, listeningOn: undefined } })],
  SHAKETABLE_SDK_DISABLED: [bare({ disabled: true })],
  SHAKETABLE_SDK_FAILED: [bare({ flags: process.flags })],
  SHAKETABLE_SERVICE_UNNAMED: [withSdk({ service: 'unknown_service:server.js' })],
  SHAKETABLE_TRACES_NOT_DELIVERED: [healthy.filter(one => one !== arrived)],
  SHAKETABLE_TRACES_OFF: [withSdk({ spans: { exporter: 'none', destination: undefined } })],
  SHAKETABLE_VARIABLE_IGNORED: [withSdk({ variables: [{ kind: 'ignored', name: 'OTEL_LOG_LEVEL' }] })],
  SHAKETABLE_VARIABLE_REFUSED: [withSdk({ variables: [{ kind: 'refused', line: 'OTEL_A=b cannot be used' }] })],
  SHAKETABLE_VARIABLE_UNKNOWN: [withSdk({ variables: [{ kind: 'unknown', name: 'OTEL_B', nearest: undefined }] })],
}

test.each(Object.entries(cases))('%s is found alone, where it is', (code, [observations, other]) => {
  expect(examined(observations, other).map(one => one.code)).toEqual([code])
})

test('an instrumentation of http beside the SDK would double the spans', () => {
  const found = examined([...healthy, loaded('@opentelemetry/instrumentation-http')])
  expect(found.map(one => one.code)).toEqual(['SHAKETABLE_OTHER_SDK'])
})

test('copies of the API that work together are only a note', () => {
  const copies = [...withSdk({ apiVersion: '1.10.0' }), loaded('@opentelemetry/api'), loaded('@opentelemetry/api')]
  expect(examined(copies)).toMatchObject([{ code: 'SHAKETABLE_API_COPIES', level: 'note' }])
})

test('a command that is not node itself gets the flag by NODE_OPTIONS', () => {
  const [missing] = examined(bare({}), { command: ['npm', 'start'] })
  expect(missing!.advice).toContain("NODE_OPTIONS='--import=@shaketable/sdk/register' npm start")
})

test('what is loaded too early gets the very command that would have been right', () => {
  const early = (flags: string, ...command: string[]) => {
    const seen = [{ ...process, flags }, loaded('pino'), hooks, sdk, arrived, serves]
    return examined(seen, { command })[0]!.advice
  }
  const flag = ['--import', '@shaketable/sdk/register']
  expect(early(process.flags, 'node', '--import', './pre.mjs', ...flag, 'server.js')).toBe(
    'start it so: node --import @shaketable/sdk/register --import ./pre.mjs server.js',
  )
  expect(early(process.flags, 'node', '--import', './pre.mjs', '--import=@shaketable/sdk/register', 'server.js')).toBe(
    'start it so: node --import @shaketable/sdk/register --import ./pre.mjs server.js',
  )
  expect(early(process.flags, 'node', '-r', './pre.cjs', ...flag, 'server.js')).toContain('--require goes before')
  expect(early(process.flags, 'npm', 'start')).toContain('NODE_OPTIONS')
  expect(early('', 'node', 'main.js')).toContain('await start()')
})

test.each([
  ['connect ECONNREFUSED 127.0.0.1:4318', 'nothing listens there'],
  ['getaddrinfo ENOTFOUND collector', 'no such host'],
  ['Parse Error: Expected HTTP/, RTSP/ or ICE/', 'PROTOCOL=grpc'],
  ['14 UNAVAILABLE: No connection established. Last error: Protocol error', 'PROTOCOL=http/protobuf'],
  [
    'write EPROTO 40ADE9:error:0A00010B:SSL routines::wrong version number:tlsany_meth.c:77:\n',
    'begin the endpoint with http://',
  ],
  ['self-signed certificate in certificate chain', 'OTEL_EXPORTER_OTLP_CERTIFICATE'],
  ['it answered 404', 'its path is another'],
  ['it answered 401', 'OTEL_EXPORTER_OTLP_HEADERS'],
  ['it answered 500', 'see what the collector says'],
])('of a span that did not get through, %s, the advice is of its own', (reason, advice) => {
  const lost: Observation = { event: 'canary', signal: 'traces', outcome: 'refused', ms: 1, reason }
  const [found] = examined([...healthy.filter(one => one !== arrived), lost])
  expect(found!.advice).toContain(advice)
  expect(found!.message).not.toContain('\n')
})

test('what many processes say is told once, and package managers are not looked at', () => {
  const npm = { pid: 1, observations: [{ ...process, script: '/usr/lib/npm/bin/npm-cli.js', nodeVersion: '20.0.0' }] }
  const worker = (pid: number) => ({ pid, observations: withSdk({ variables: [{ kind: 'ignored', name: 'OTEL_A' }] }) })
  const scrapes = new Map([2, 3].map(pid => [pid, { url: '', samples: 1 }]))
  expect(examined([], { processes: [npm, worker(2), worker(3)], scrapes })).toHaveLength(1)
})

test('every finding has a section in the troubleshooting page, and every section a finding', () => {
  const page = readFileSync(new URL('../../docs/troubleshooting.md', import.meta.url), 'utf8')
  const sections = [...page.matchAll(/^### `(SHAKETABLE_\w+)`\n\n(?=\S)/gm)].map(([, code]) => code)
  expect(sections.sort()).toEqual([...findingCodes].sort())
})
