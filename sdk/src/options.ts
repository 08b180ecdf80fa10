import { createRequire } from 'node:module'
import { basename } from 'node:path'
import type { Attributes } from '@opentelemetry/api'
import { readConfigFile } from './config-file.ts'
import { type Environment, EnvironmentReader } from './environment.ts'
import { absentInstrumentations, type InstrumentationName, instrumentationNames } from './instrumentations/names.ts'
import type { LogFormat } from './logs/lines.ts'
import type { LogsOptions } from './logs/open-logs.ts'
import { variable } from './names.ts'
import type { Notice } from './notice.ts'
import type { OtlpOptions, OtlpTls } from './otlp/options.ts'
import type { QueueOptions } from './otlp/queue.ts'
import type { RedactionOptions } from './redaction.ts'
import { type DetectorName, describePackage, detect, detectorNames, surroundingsOf } from './traces/detectors.ts'
import { type PropagatorName, propagatorNames } from './traces/propagators.ts'
import { type SamplerName, samplerNames } from './traces/sampler.ts'
import type { SpanLimits } from './traces/span.ts'

/** How much OpenTelemetry's own diagnostics say on stderr; our lines too are silent with `none`. */
export const logLevels = ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'] as const

export type MetricsExporter = 'prometheus' | 'otlp' | 'console'

/** Everything that the SDK can be told. Defaults < environment < what `start` is given. */
export interface Options {
  disabled: boolean
  /** Undefined: our own lines only. */
  logLevel: (typeof logLevels)[number] | undefined
  serviceName: string
  resourceAttributes: Attributes
  tracesExporter: 'otlp' | 'console' | 'none'
  otlp: OtlpOptions
  sampler: SamplerName
  samplerRatio: number
  /** What the sampler `errors_and_slow` calls slow, in ms, and how many spans may wait for its decision. */
  keep: { slowMs: number; maxSpans: number }
  propagators: PropagatorName[]
  /** What is patched or listened to, each once the app loads it. */
  instrumentations: InstrumentationName[]
  queue: QueueOptions
  limits: SpanLimits
  /** Empty: nothing is measured. */
  metricsExporters: MetricsExporter[]
  /** Undefined unless metrics go over OTLP. */
  metricsOtlp: OtlpOptions | undefined
  metricsPush: { intervalMs: number; timeoutMs: number }
  /** Series of one metric; what comes beyond is counted in one overflow series. */
  maxSeries: number
  /** With `key`, log levels can be changed at run time. */
  admin: { host: string; port: number; key: string | undefined }
  accessLog: boolean
  /** Undefined unless logs go over OTLP, besides stdout. */
  logs: LogsOptions | undefined
  logFormat: LogFormat
  /** Whether the lines of `console` carry the ids of their trace. */
  consoleIds: boolean
  /** What leaves the process, in spans, log lines and URLs, only as `REDACTED`. */
  redaction: RedactionOptions
  drainTimeoutMs: number
  faults:
    | { host: string; port: number; key: string; tls?: { certificate: string; privateKey: string } | undefined }
    | undefined
}

/**
 * Reads every `OTEL_*` and `SHAKETABLE_*` variable, here and nowhere else. A value that cannot be honoured is refused in
 * one plain line and its default is used: a wrong variable never stops a service.
 */
export function readOptions(env: Environment, notice: Notice): Options {
  const read = readerOf(env, notice)
  const told = read.pairs('OTEL_RESOURCE_ATTRIBUTES')
  const around = surroundingsOf(env)
  const own = describePackage(around)
  const script = basename(around.script ?? process.execPath)
  const serviceName = read.text('OTEL_SERVICE_NAME') || told['service.name'] || own.name || `unknown_service:${script}`
  refuseUnsupported(read)
  const metricsExporters = readMetricsExporters(read)
  const sampler = read.choice<SamplerName>('OTEL_TRACES_SAMPLER', samplerNames, 'parentbased_always_on')
  return {
    disabled: read.choice('OTEL_SDK_DISABLED', ['true', 'false'], 'false') === 'true',
    logLevel: read.text('OTEL_LOG_LEVEL') === undefined ? undefined : read.choice('OTEL_LOG_LEVEL', logLevels, 'error'),
    serviceName,
    resourceAttributes: {
      ...detect(readDetectors(read), around),
      'telemetry.sdk.name': 'shaketable',
      'telemetry.sdk.language': 'nodejs',
      'telemetry.sdk.version': version(),
      ...(own.version ? { 'service.version': own.version } : {}),
      ...told,
      'service.name': serviceName,
    },
    tracesExporter: read.choice('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none'], 'otlp'),
    otlp: readOtlp(read, 'traces'),
    sampler,
    samplerRatio: read.number('OTEL_TRACES_SAMPLER_ARG', sampler === 'errors_and_slow' ? 0 : 1, { from: 0, to: 1 }),
    keep: {
      slowMs: read.timeout(variable.slowThreshold, 500),
      maxSpans: read.number(variable.undecidedSpans, 10_000, { from: 1, to: 1_000_000, whole: true }),
    },
    propagators: read.list('OTEL_PROPAGATORS', propagatorNames, ['tracecontext', 'baggage']),
    instrumentations: readInstrumentations(read),
    queue: readQueue(read),
    limits: readLimits(read),
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
      key: readAdminKey(read),
    },
    accessLog: read.choice(variable.accessLog, ['on', 'off'], 'on') === 'on',
    logs: readLogs(read),
    logFormat: read.choice<LogFormat>(variable.logFormat, ['pino', 'ecs'], 'pino'),
    consoleIds: read.choice(variable.consoleIds, ['on', 'off'], 'on') === 'on',
    redaction: readRedaction(read),
    drainTimeoutMs: read.whole(variable.drainTimeout, 10_000),
    faults: readFaults(read),
  }
}

const protocols = ['http/protobuf', 'http/json', 'grpc'] as const
const compressions = ['gzip', 'none'] as const

function readOtlp(read: EnvironmentReader, signal: 'traces' | 'metrics' | 'logs'): OtlpOptions {
  const common = 'OTEL_EXPORTER_OTLP'
  const own = `${common}_${signal.toUpperCase()}`
  /** The signal's own variable, or else the common one. */
  const either = <Value>(one: (name: string, otherwise: Value) => Value, setting: string, otherwise: Value): Value =>
    one(`${own}_${setting}`, one(`${common}_${setting}`, otherwise))
  const choice = <Name extends string>(setting: string, names: readonly Name[], otherwise: Name) =>
    either<Name>((name, fallback) => read.choice(name, names, fallback), setting, otherwise)
  const pem = (setting: string, form: 'certificate' | 'private key') =>
    either<Buffer | undefined>((name, fallback) => read.pem(name, form) ?? fallback, setting, undefined)

  const protocol = choice('PROTOCOL', protocols, 'http/protobuf')
  const insecure = choice('INSECURE', ['true', 'false'], 'false') === 'true'
  const scheme = protocol === 'grpc' ? (insecure ? 'http' : 'https') : undefined
  const shared = read.url(`${common}_ENDPOINT`, scheme)
  const posted = `${(shared ?? 'http://localhost:4318').replace(/\/+$/, '')}/v1/${signal}`
  const tls: OtlpTls = {
    ca: pem('CERTIFICATE', 'certificate'),
    key: pem('CLIENT_KEY', 'private key'),
    cert: pem('CLIENT_CERTIFICATE', 'certificate'),
  }
  if (!tls.key !== !tls.cert) {
    read.notice(`${own}_CLIENT_KEY and ${own}_CLIENT_CERTIFICATE need each other; the collector is shown neither`)
    tls.key = tls.cert = undefined
  }
  return {
    endpoint: read.url(`${own}_ENDPOINT`, scheme) ?? (scheme ? (shared ?? 'http://localhost:4317') : posted),
    headers: { ...read.pairs(`${common}_HEADERS`), ...read.pairs(`${own}_HEADERS`) },
    protocol,
    timeoutMs: either((name, otherwise) => read.timeout(name, otherwise), 'TIMEOUT', 10_000),
    compression: choice('COMPRESSION', compressions, 'none'),
    ...(tls.ca || tls.key ? { tls } : {}),
  }
}

function readMetricsOtlp(read: EnvironmentReader): OtlpOptions {
  read.choice('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE', ['cumulative'], 'cumulative')
  const aggregation = 'OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'
  read.choice(aggregation, ['explicit_bucket_histogram'], 'explicit_bucket_histogram')
  return readOtlp(read, 'metrics')
}

function readMetricsExporters(read: EnvironmentReader): MetricsExporter[] {
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

function readQueue(read: EnvironmentReader): Options['queue'] {
  const maxQueueSize = read.number('OTEL_BSP_MAX_QUEUE_SIZE', 2048, { from: 1, to: 1_000_000, whole: true })
  const maxBatchSize = read.number('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 512, { from: 1, to: 1_000_000, whole: true })
  return {
    maxQueueSize,
    maxBatchSize: Math.min(maxBatchSize, maxQueueSize),
    delayMs: read.whole('OTEL_BSP_SCHEDULE_DELAY', 5_000),
    timeoutMs: read.timeout('OTEL_BSP_EXPORT_TIMEOUT', 30_000),
    maxPackedBytes: read.whole(variable.outageBuffer, 8_388_608),
  }
}

function readLogs(read: EnvironmentReader): LogsOptions | undefined {
  if (read.choice('OTEL_LOGS_EXPORTER', ['otlp', 'none'], 'none') === 'none') return undefined
  const maxQueueSize = read.number('OTEL_BLRP_MAX_QUEUE_SIZE', 2048, { from: 1, to: 1_000_000, whole: true })
  const maxBatchSize = read.number('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE', 512, { from: 1, to: 1_000_000, whole: true })
  const length = read.whole('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY)
  return {
    otlp: readOtlp(read, 'logs'),
    queue: {
      maxQueueSize,
      maxBatchSize: Math.min(maxBatchSize, maxQueueSize),
      delayMs: read.whole('OTEL_BLRP_SCHEDULE_DELAY', 1_000),
      timeoutMs: read.timeout('OTEL_BLRP_EXPORT_TIMEOUT', 30_000),
      maxPackedBytes: read.whole(variable.outageBuffer, 8_388_608),
    },
    limits: {
      attributeCount: read.whole('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT', read.whole('OTEL_ATTRIBUTE_COUNT_LIMIT', 128)),
      attributeLength: read.whole('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT', length),
    },
  }
}

/** `env` is always there: what the variables say goes before what is detected. */
function readDetectors(read: EnvironmentReader): DetectorName[] {
  const chosen = read.list('OTEL_NODE_RESOURCE_DETECTORS', ['all', 'env', ...detectorNames], ['all'])
  return detectorNames.filter(name => chosen.includes('all') || chosen.includes(name))
}

/** As auto-instrumentations-node has it: those that are enabled, without those that are disabled. */
function readInstrumentations(read: EnvironmentReader): InstrumentationName[] {
  const enabled = read.list('OTEL_NODE_ENABLED_INSTRUMENTATIONS', instrumentationNames, instrumentationNames)
  const name = 'OTEL_NODE_DISABLED_INSTRUMENTATIONS'
  const disabled = (read.text(name) ?? 'none').split(',').map(one => one.trim().toLowerCase())
  const known = disabled.filter(one => instrumentationNames.some(ours => ours === one))
  for (const one of disabled) {
    if (['', 'none', ...known, ...absentInstrumentations].includes(one)) continue
    read.refuse(name, one, `${instrumentationNames.join(', ')} or none`, known.join(',') || 'none')
  }
  return enabled.filter(one => !disabled.includes(one))
}

function readLimits(read: EnvironmentReader): SpanLimits {
  const count = read.whole('OTEL_ATTRIBUTE_COUNT_LIMIT', 128)
  const length = read.whole('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', Number.POSITIVE_INFINITY)
  return {
    attributeCount: read.whole('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', count),
    attributeLength: read.whole('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', length),
    eventCount: read.whole('OTEL_SPAN_EVENT_COUNT_LIMIT', 128),
    eventAttributeCount: read.whole('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', count),
    linkCount: read.whole('OTEL_SPAN_LINK_COUNT_LIMIT', 128),
    linkAttributeCount: read.whole('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', count),
  }
}

function readRedaction(read: EnvironmentReader): RedactionOptions {
  const usual = ['credentials', 'cards'] as const
  const kinds: string[] = read.list(variable.redact, [...usual, 'emails'], usual)
  const names = (read.text(variable.redactNames) ?? '').split(',').map(name => name.trim())
  const chosen = { credentials: kinds.includes('credentials'), cards: kinds.includes('cards') }
  return { ...chosen, emails: kinds.includes('emails'), names: names.filter(Boolean) }
}

function readAdminKey(read: EnvironmentReader): string | undefined {
  const key = read.text(variable.adminKey)
  if (key === undefined || key.length >= 16) return key
  read.notice(`${variable.adminKey} needs at least 16 characters; log levels cannot be changed`)
  return undefined
}

function readFaults(read: EnvironmentReader): Options['faults'] {
  if (read.choice(variable.faults, ['on', 'off'], 'off') !== 'on') return undefined
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

/** With `OTEL_CONFIG_FILE` the file alone tells what OpenTelemetry specifies; our own variables stand beside it. */
function readerOf(env: Environment, notice: Notice): EnvironmentReader {
  const path = env.OTEL_CONFIG_FILE?.trim()
  const file = path ? readConfigFile(path, env, notice) : undefined
  if (!file) return new EnvironmentReader(env, notice)
  const ours = Object.values(variable).map(name => [name, env[name]])
  const ignored = Object.keys(env).filter(
    name => /^OTEL_/.test(name) && name !== 'OTEL_CONFIG_FILE' && env[name]?.trim(),
  )
  const unused = ignored.filter(name => !file.references.has(name))
  if (unused.length > 0) notice(`OTEL_CONFIG_FILE is set, so that other variables are ignored: ${unused.join(', ')}`)
  return new EnvironmentReader({ ...Object.fromEntries(ours), ...file.settings }, notice, file.places)
}

/** What OpenTelemetry specifies and the SDK does not have: said aloud when it is set, with what to do instead. */
export const unsupported: Readonly<Record<string, string>> = {
  OTEL_EXPERIMENTAL_CONFIG_FILE: 'it is called OTEL_CONFIG_FILE now',
  OTEL_ENTITIES: 'use OTEL_RESOURCE_ATTRIBUTES',
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: 'spans go out over OTLP; the collector has an exporter for Zipkin',
  OTEL_EXPORTER_ZIPKIN_TIMEOUT: 'spans go out over OTLP; the collector has an exporter for Zipkin',
}

function refuseUnsupported(read: EnvironmentReader): void {
  for (const [name, instead] of Object.entries(unsupported)) {
    if (read.text(name) !== undefined) read.notice(`${name} is not supported and is ignored: ${instead}`)
  }
  read.choice('OTEL_METRICS_EXEMPLAR_FILTER', ['trace_based'], 'trace_based')
  // The stable conventions are the only ones, and so what each of these asks for.
  read.list('OTEL_SEMCONV_STABILITY_OPT_IN', ['http', 'database', 'messaging', 'rpc', 'code', 'gen_ai'], [])
}

function version(): string {
  const { version } = createRequire(import.meta.url)('../package.json') as { version: string }
  return version
}
