import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import { hostname } from 'node:os'
import { basename } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import { variable } from './names.ts'
import type { Notice } from './notice.ts'
import type { PropagatorName } from './traces/propagation.ts'
import type { SamplerName } from './traces/sampler.ts'

export interface OtlpOptions {
  /** The full URL that is posted to; with `grpc` only its scheme, host and port count. */
  endpoint: string
  headers: Record<string, string>
  protocol: 'http/protobuf' | 'http/json' | 'grpc'
  timeoutMs: number
  compression: 'gzip' | 'none'
}

export type MetricsExporter = 'prometheus' | 'otlp' | 'console'

/** Everything that the SDK can be told. Defaults < environment < what `start` is given. */
export interface Options {
  disabled: boolean
  serviceName: string
  resourceAttributes: Attributes
  tracesExporter: 'otlp' | 'console' | 'none'
  otlp: OtlpOptions
  sampler: SamplerName
  samplerRatio: number
  propagators: PropagatorName[]
  queue: { maxQueueSize: number; maxBatchSize: number; delayMs: number; timeoutMs: number }
  limits: { attributeCount: number; attributeLength: number; eventCount: number; linkCount: number }
  /** Empty: nothing is measured. */
  metricsExporters: MetricsExporter[]
  /** Undefined unless metrics go over OTLP. */
  metricsOtlp: OtlpOptions | undefined
  metricsPush: { intervalMs: number; timeoutMs: number }
  /** Series of one metric; what comes beyond is counted in one overflow series. */
  maxSeries: number
  admin: { host: string; port: number }
  accessLog: boolean
  drainTimeoutMs: number
  faults:
    | { host: string; port: number; key: string; tls?: { certificate: string; privateKey: string } | undefined }
    | undefined
}

/** The environment as it is handed in: strings by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/**
 * Reads every `OTEL_*` and `SHAKETABLE_*` variable, here and nowhere else. A value that cannot be honoured is refused in
 * one plain line and its default is used: a wrong variable never stops a service.
 */
export function readOptions(env: Environment, notice: Notice): Options {
  const read = new Reader(env, notice)
  const resourceAttributes = read.pairs('OTEL_RESOURCE_ATTRIBUTES')
  const named = read.text('OTEL_SERVICE_NAME') ?? resourceAttributes['service.name']
  const serviceName = named || `unknown_service:${basename(process.argv[1] ?? process.execPath)}`
  refuseUnknown(read)
  const metricsExporters = readMetricsExporters(read)
  return {
    disabled: read.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true',
    serviceName,
    resourceAttributes: {
      'service.instance.id': randomUUID(),
      'host.name': hostname(),
      'process.pid': process.pid,
      'process.runtime.name': 'nodejs',
      'process.runtime.version': process.versions.node,
      'telemetry.sdk.name': 'shaketable',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': version(),
      ...resourceAttributes,
      'service.name': serviceName,
    },
    tracesExporter: read.choice('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], 'otlp'),
    otlp: readOtlp(read, 'traces'),
    sampler: read.choice(
      'OTEL_TRACES_SAMPLER',
      [
        'always_on',
        'always_off',
        'traceidratio',
        'parentbased_always_on',
        'parentbased_always_off',
        'parentbased_traceidratio',
      ],
      'parentbased_always_on',
    ),
    samplerRatio: read.number('OTEL_TRACES_SAMPLER_ARG', 1, { from: 0, to: 1 }),
    propagators: readPropagators(read),
    queue: readQueue(read),
    limits: {
      attributeCount: read.whole('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', read.whole('OTEL_ATTRIBUTE_COUNT_LIMIT', 128)),
      attributeLength: read.whole(
        'OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT',
        read.whole('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY),
      ),
      eventCount: read.whole('OTEL_SPAN_EVENT_COUNT_LIMIT', 128),
      linkCount: read.whole('OTEL_SPAN_LINK_COUNT_LIMIT', 128),
    },
    metricsExporters,
    metricsOtlp: metricsExporters.includes('otlp') ? readMetricsOtlp(read) : undefined,
    metricsPush: {
      intervalMs: read.timeout('OTEL_METRIC_EXPORT_INTERVAL', 60_000),
      timeoutMs: read.timeout('OTEL_METRIC_EXPORT_TIMEOUT', 30_000),
    },
    maxSeries: read.number(variable.maxSeries, 2_000, { from: 1, to: 1_000_000, whole: true }),
    admin: {
      host: read.text('OTEL_EXPORTER_PROMETHEUS_HOST') ?? '127.0.0.1',
      port: read.number('OTEL_EXPORTER_PROMETHEUS_PORT', 9464, { from: 0, to: 65_535, whole: true }),
    },
    accessLog: read.choice(variable.accessLog, ['on', 'off'], 'on') === 'on',
    drainTimeoutMs: read.whole(variable.drainTimeout, 10_000),
    faults: readFaults(read),
  }
}

function readOtlp(read: Reader, signal: 'traces' | 'metrics'): OtlpOptions {
  const prefix = `OTEL_EXPORTER_OTLP_${signal.toUpperCase()}`
  const own = read.url(`${prefix}_ENDPOINT`)
  const shared = read.url('OTEL_EXPORTER_OTLP_ENDPOINT')
  const protocols = ['http/protobuf', 'http/json', 'grpc'] as const
  const both = <Value>(one: (name: string, otherwise: Value) => Value, setting: string, otherwise: Value): Value =>
    one(`${prefix}_${setting}`, one(`OTEL_EXPORTER_OTLP_${setting}`, otherwise))
  const protocol = both<OtlpOptions['protocol']>(
    (name, otherwise) => read.choice(name, protocols, otherwise),
    'PROTOCOL',
    'http/protobuf',
  )
  const posted = `${(shared ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/${signal}`
  return {
    endpoint: own ?? (protocol === 'grpc' ? (shared ?? 'http://localhost:4317') : posted),
    headers: {
      ...read.pairs('OTEL_EXPORTER_OTLP_HEADERS'),
      ...read.pairs(`${prefix}_HEADERS`),
    },
    protocol,
    timeoutMs: both((name, otherwise) => read.timeout(name, otherwise), 'TIMEOUT', 10_000),
    compression: both<OtlpOptions['compression']>(
      (name, otherwise) => read.choice(name, ['gzip', 'none'], otherwise),
      'COMPRESSION',
      'none',
    ),
  }
}

function readMetricsOtlp(read: Reader): OtlpOptions {
  read.choice('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', ['cumulative'], 'cumulative')
  const aggregation = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
  read.choice(aggregation, ['explicit_bucket_histogram'], 'explicit_bucket_histogram')
  return readOtlp(read, 'metrics')
}

function readMetricsExporters(read: Reader): MetricsExporter[] {
  const known = ['prometheus', 'otlp', 'console'] as const
  const names = (read.text('OTEL_METRICS_EXPORTER') ?? 'prometheus').split(',').map(name => name.trim().toLowerCase())
  const chosen = known.filter(name => names.includes(name))
  for (const name of names) {
    if (name === 'none' || known.some(each => each === name)) continue
    read.refuse('OTEL_METRICS_EXPORTER', name, `${known.join(', ')} or none`, chosen.join(',') || 'prometheus')
  }
  if (chosen.includes('otlp') && chosen.includes('console')) {
    read.refuse('OTEL_METRICS_EXPORTER', 'otlp,console', 'one of the two', 'otlp')
    return chosen.filter(name => name !== 'console')
  }
  return chosen.length > 0 || names.includes('none') ? chosen : ['prometheus']
}

function readQueue(read: Reader): Options['queue'] {
  const maxQueueSize = read.number('OTEL_BSP_MAX_QUEUE_SIZE', 2048, { from: 1, to: 1_000_000, whole: true })
  const maxBatchSize = read.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, { from: 1, to: 1_000_000, whole: true })
  return {
    maxQueueSize,
    maxBatchSize: Math.min(maxBatchSize, maxQueueSize),
    delayMs: read.whole('OTEL_BSP_SCHEDULE_DELAY', 5_000),
    timeoutMs: read.timeout('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
  }
}

function readPropagators(read: Reader): PropagatorName[] {
  const text = read.text('OTEL_PROPAGATORS')
  if (text === undefined) return ['tracecontext', 'baggage']
  const names = text.split(',').map(name => name.trim())
  const known = names.filter(name => name === 'tracecontext' || name === 'baggage')
  for (const name of names) {
    if (name === 'tracecontext' || name === 'baggage' || name === 'none') continue
    read.refuse('OTEL_PROPAGATORS', name, 'tracecontext, baggage or none', known.join(',') || 'tracecontext,baggage')
  }
  return known.length > 0 || names.includes('none') ? known : ['tracecontext', 'baggage']
}

function readFaults(read: Reader): Options['faults'] {
  if (read.text(variable.faults) !== 'on') return undefined
  const key = read.text(variable.faultsKey) ?? ''
  if (key.length < 16) {
    read.notice(`${variable.faults}=on needs ${variable.faultsKey} with at least 16 characters; faults stay off`)
    return undefined
  }
  const [certificate, privateKey] = [read.text(variable.faultsCertificate), read.text(variable.faultsPrivateKey)]
  if ((certificate === undefined) !== (privateKey === undefined)) {
    read.notice(`${variable.faultsCertificate} and ${variable.faultsPrivateKey} go together; faults stay off`)
    return undefined
  }
  return {
    host: read.text(variable.faultsHost) ?? '127.0.0.1',
    port: read.number(variable.faultsPort, 0, { from: 0, to: 65_535, whole: true }),
    key,
    tls: certificate && privateKey ? { certificate, privateKey } : undefined,
  }
}

/** Settings that would change what is sent, and that this version does not have: said, never silently ignored. */
function refuseUnknown(read: Reader): void {
  for (const name of ['OTEL_CONFIG_FILE', 'OTEL_EXPERIMENTAL_CONFIG_FILE']) {
    if (read.text(name) !== undefined) read.notice(`${name} is not supported and is ignored; use the OTEL_* variables`)
  }
  for (const name of ['CERTIFICATE', 'CLIENT_KEY', 'CLIENT_CERTIFICATE'].flatMap(each => [
    each,
    `TRACES_${each}`,
    `METRICS_${each}`,
  ])) {
    if (read.text(`OTEL_EXPORTER_OTLP_${name}`) === undefined) continue
    read.notice(`OTEL_EXPORTER_OTLP_${name} is not supported and is ignored; NODE_EXTRA_CA_CERTS adds an authority`)
  }
  const logs = read.text('OTEL_LOGS_EXPORTER')
  if (logs !== undefined && logs !== 'none') {
    read.notice(`OTEL_LOGS_EXPORTER=${logs} is not supported; logs go to stdout, where the collector reads them`)
  }
}

class Reader {
  readonly notice: Notice
  readonly #env: Environment

  constructor(env: Environment, notice: Notice) {
    this.#env = env
    this.notice = notice
  }

  /** An empty value counts as absent, as OpenTelemetry says. */
  text(name: string): string | undefined {
    const value = this.#env[name]?.trim()
    return value === undefined || value === '' ? undefined : value
  }

  refuse(name: string, seen: string, expected: string, used: string | number): void {
    this.notice(`${name}=${seen} cannot be used: expected ${expected}; using ${used}`)
  }

  choice<Name extends string>(name: string, names: readonly Name[], otherwise: Name): Name {
    const seen = this.text(name)
    if (seen === undefined) return otherwise
    const found = names.find(candidate => candidate === seen.toLowerCase())
    if (found === undefined) this.refuse(name, seen, names.join(', '), otherwise)
    return found ?? otherwise
  }

  number(name: string, otherwise: number, range: { from: number; to: number; whole?: boolean }): number {
    const seen = this.text(name)
    if (seen === undefined) return otherwise
    const value = Number(seen)
    if (value >= range.from && value <= range.to && (!range.whole || Number.isInteger(value))) return value
    this.refuse(name, seen, `a ${range.whole ? 'whole ' : ''}number from ${range.from} to ${range.to}`, otherwise)
    return otherwise
  }

  whole(name: string, otherwise: number): number {
    return this.number(name, otherwise, { from: 0, to: 2_147_483_647, whole: true })
  }

  /** ms; with 0 nothing could ever be sent. */
  timeout(name: string, otherwise: number): number {
    return this.number(name, otherwise, { from: 1, to: 2_147_483_647, whole: true })
  }

  url(name: string): string | undefined {
    const seen = this.text(name)
    if (seen === undefined) return undefined
    if (URL.canParse(seen) && /^https?:$/.test(new URL(seen).protocol)) return seen
    this.refuse(name, seen, 'an http or https URL', 'the default')
    return undefined
  }

  /** `key=value,key=value`, percent-encoded. */
  pairs(name: string): Record<string, string> {
    const result: Record<string, string> = {}
    for (const pair of (this.text(name) ?? '').split(',')) {
      if (pair.trim() === '') continue
      const at = pair.indexOf('=')
      try {
        if (at <= 0) throw new URIError('no key')
        result[pair.slice(0, at).trim()] = decodeURIComponent(pair.slice(at + 1).trim())
      } catch {
        // A header may hold a secret: name the variable, never the value.
        this.notice(`${name} has a member that cannot be used: expected key=value, percent-encoded; leaving it out`)
      }
    }
    return result
  }
}

function version(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  return version
}
