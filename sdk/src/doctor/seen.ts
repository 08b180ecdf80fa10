import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export type Signal = 'traces' | 'metrics' | 'logs'

/** What one process of the app says of itself, in the order in which it happened. */
export type Observation =
  | { event: 'process'; nodeVersion: string; script: string; flags: string; disabled: boolean }
  /** The folder of a package, when its first file was loaded. */
  | { event: 'package'; url: string }
  | { event: 'listens'; port: number | undefined }
  /** From here on the SDK sees what is loaded. */
  | { event: 'hooks'; files: { library: string; file: string }[] }
  | { event: 'instrumented'; library: string; version: string }
  | { event: 'uninstrumented'; library: string; version: string; reason: string }
  | SdkState
  | {
      event: 'canary'
      signal: Signal
      outcome: 'sent' | 'retry' | 'refused'
      reason?: string
      ms: number
    }
  | { event: 'logLine'; version: string; traced: boolean }
  | { event: 'serves'; port: number | undefined }

export interface SdkState {
  event: 'sdk'
  service: string
  sdkVersion: string
  apiVersion: string
  apiRegistered: boolean
  spans: { exporter: string; destination: string | undefined }
  /** Whether there is a `/metrics`. */
  scraped: boolean
  /** Where metrics are sent, besides. */
  pushedTo: string | undefined
  /** Where logs are sent, besides stdout. */
  logsTo: string | undefined
  /** `port` is the one that was asked for, `listeningOn` the one that it has; none when it was taken. */
  admin: { host: string; port: number; listeningOn: number | undefined }
  variables: VariableProblem[]
}

export type VariableProblem =
  | { kind: 'refused'; line: string }
  /** The SDK does not read it, though OpenTelemetry or the SDK knows it. */
  | { kind: 'ignored'; name: string }
  | { kind: 'unknown'; name: string; nearest: string | undefined }

export interface SeenProcess {
  pid: number
  observations: Observation[]
}

/** What the processes have written into the folder until now; a line that is half written waits for the next reading. */
export function readSeen(folder: string): SeenProcess[] {
  return readdirSync(folder)
    .filter(name => name.endsWith('.jsonl'))
    .map(name => ({
      pid: Number.parseInt(name, 10),
      observations: readFileSync(`${folder}/${name}`, 'utf8')
        .split('\n')
        .slice(0, -1)
        .map(line => JSON.parse(line) as Observation),
    }))
}

export function allOf<Event extends Observation['event']>(seen: SeenProcess, event: Event) {
  return seen.observations.filter((one): one is Extract<Observation, { event: Event }> => one.event === event)
}

export function firstOf<Event extends Observation['event']>(seen: SeenProcess, event: Event) {
  return allOf(seen, event)[0]
}

export function canaryOf(seen: SeenProcess, signal: Signal) {
  return allOf(seen, 'canary').find(one => one.signal === signal)
}

export interface LoadedPackage {
  name: string
  version: string
  folder: string
}

/** The package in the folder; undefined when it has no readable package.json. */
export function packageAt(url: string): LoadedPackage | undefined {
  try {
    const folder = fileURLToPath(url)
    const { name, version } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    return { name, version, folder }
  } catch {
    return undefined
  }
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

/** Express 5 has its routes in a package of its own, which nobody knows by name. */
export const titleOf = (name: string, version: string) =>
  name === 'router' ? `${name} ${version} (of Express 5)` : `${name} ${version}`
