import { appsOf, type Examination, type Scrape } from './examination.ts'
import type { Finding } from './findings/finding.ts'
import { findings } from './findings.ts'
import {
  allOf,
  canaryOf,
  firstOf,
  type LoadedPackage,
  loadedApis,
  type SdkState,
  type SeenProcess,
  titleOf,
} from './seen.ts'

/** One process of the app that runs the SDK. */
export interface AppReport {
  pid: number
  nodeVersion: string
  service: string
  sdkVersion: string
  instrumented: { library: string; version: string }[]
  /** Ports that the app's own servers listen on. */
  ports: number[]
  apiCopies: LoadedPackage[]
  traces: { destination: string | undefined; delivered: boolean; ms: number | undefined }
  /** `url` is where they are scraped, `destination` where they are sent. */
  metrics: { url: string | undefined; samples: number; destination: string | undefined; delivered: boolean }
  /** Whether a line of the app's pino carries the trace id; undefined without pino. */
  logs: { traced: boolean | undefined; destination: string | undefined; delivered: boolean }
}

/** What `--json` prints. */
export interface Report {
  command: readonly string[]
  apps: AppReport[]
  findings: Finding[]
}

export function reportOf(examination: Examination): Report {
  const apps = appsOf(examination.processes).flatMap(app => {
    const sdk = firstOf(app, 'sdk')
    return sdk ? [appReport(app, sdk, examination.scrapes.get(app.pid))] : []
  })
  return { command: examination.command, apps, findings: findings(examination) }
}

function appReport(app: SeenProcess, sdk: SdkState, scrape: Scrape | undefined): AppReport {
  const canary = canaryOf(app, 'traces')
  const patched = allOf(app, 'instrumented').map(({ library, version }) => ({ library, version }))
  return {
    pid: app.pid,
    nodeVersion: firstOf(app, 'process')!.nodeVersion,
    service: sdk.service,
    sdkVersion: sdk.sdkVersion,
    instrumented: [...new Map(patched.map(one => [`${one.library} ${one.version}`, one])).values()],
    ports: allOf(app, 'serves').flatMap(({ port }) => port ?? []),
    apiCopies: loadedApis(app),
    traces: { destination: sdk.spans.destination, delivered: canary?.outcome === 'sent', ms: canary?.ms },
    metrics: {
      url: scrape?.url,
      samples: scrape?.samples ?? 0,
      destination: sdk.pushedTo,
      delivered: canaryOf(app, 'metrics')?.outcome === 'sent',
    },
    logs: {
      traced: firstOf(app, 'logLine')?.traced,
      destination: sdk.logsTo,
      delivered: canaryOf(app, 'logs')?.outcome === 'sent',
    },
  }
}

/** The report for people. */
export function reportText({ command, apps, findings }: Report): string {
  const lines = [`shaketable doctor: ${command.join(' ')}`, '', ...apps.flatMap(appLines)]
  const problems = findings.filter(one => one.level === 'problem').length
  for (const { code, level, message, advice } of findings) {
    lines.push(`${level} ${code}`, `  ${message}`, `  -> ${advice}`, '')
  }
  lines.push(problems === 0 ? 'all well' : `${problems} problem${problems === 1 ? '' : 's'}`)
  return `${lines.join('\n')}\n`
}

function appLines(app: AppReport): string[] {
  const libraries = ['node:http', 'fetch', ...app.instrumented.map(one => titleOf(one.library, one.version))]
  const { destination, delivered, ms } = app.traces
  const sent = delivered ? `a test span arrived in ${ms} ms` : 'no test span arrived'
  const logs = { true: 'pino lines carry the trace id', false: 'pino lines carry no trace id', undefined: 'no pino' }
  return [
    `  process       ${app.pid}, Node ${app.nodeVersion}${app.ports.length > 0 ? `, listens on ${app.ports.join(', ')}` : ''}`,
    `  service       ${app.service}, SDK ${app.sdkVersion}`,
    `  instrumented  ${libraries.join(', ')}`,
    ...app.apiCopies.map(copy => `  API           ${copy.version} in ${copy.folder}`),
    `  traces        ${destination ? `${destination}: ${sent}` : 'not sent'}`,
    `  metrics       ${app.metrics.url ? `${app.metrics.url}: ${app.metrics.samples} samples` : 'not scraped'}`,
    ...acceptance(app.metrics),
    `  logs          ${logs[`${app.logs.traced}`]}`,
    ...acceptance(app.logs),
    '',
  ]
}

function acceptance({ destination, delivered }: { destination: string | undefined; delivered: boolean }): string[] {
  return destination ? [`                ${destination}: ${delivered ? 'accepts them' : 'does not accept them'}`] : []
}
