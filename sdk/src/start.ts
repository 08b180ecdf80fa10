import { isMainThread } from 'node:worker_threads'
import {
  context,
  DiagLogLevel,
  diag,
  metrics as metricsApi,
  propagation,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api'
import { type AdminListener, listen } from './admin/listener.ts'
import { LogLevelControl } from './admin/log-level.ts'
import { Readiness } from './admin/readiness.ts'
import { SharedContextManager, untraced } from './context.ts'
import type { Witness } from './doctor/witness.ts'
import type { Environment } from './environment.ts'
import { watchNodeClient, watchUndici } from './http/client.ts'
import { patchHttp2Client } from './http/http2-client.ts'
import { keepContextInEvents } from './http/observed.ts'
import { SeenRoutes } from './http/seen-routes.ts'
import { ServerObserver } from './http/server.ts'
import { Servers } from './http/servers.ts'
import { express } from './instrumentations/express.ts'
import { watchFastify } from './instrumentations/fastify.ts'
import { hapi } from './instrumentations/hapi.ts'
import { hono } from './instrumentations/hono.ts'
import { koa } from './instrumentations/koa.ts'
import { MeasuredTracers } from './instrumentations/measured-tracers.ts'
import { type LibraryFile, patchOnLoad } from './instrumentations/modules.ts'
import { official } from './instrumentations/official.ts'
import { OpenCalls } from './instrumentations/open-calls.ts'
import { pino, pinoLevels } from './instrumentations/pino.ts'
import { promClient } from './instrumentations/prom-client.ts'
import { winston } from './instrumentations/winston.ts'
import { drain, type Ending, flush, watchEndings } from './lifecycle.ts'
import { AccessLog } from './logs/access-log.ts'
import { watchConsole } from './logs/console.ts'
import { LogLevels } from './logs/levels.ts'
import { LogLines } from './logs/lines.ts'
import type { LogExport } from './logs/open-logs.ts'
import { leadCluster } from './members/cluster.ts'
import { preloadEvalThreads } from './members/eval-threads.ts'
import { Members } from './members/members.ts'
import { Seat } from './members/seat.ts'
import { idOfProcess } from './members/threads.ts'
import { CardinalityGuard } from './metrics/cardinality-guard.ts'
import { MetricCollection } from './metrics/collection.ts'
import { Tally } from './metrics/counter.ts'
import type { Family } from './metrics/exposition.ts'
import { LibraryMetrics } from './metrics/library-metrics.ts'
import { familiesOfMetrics } from './metrics/meter-families.ts'
import { LazyMeterProvider } from './metrics/meter-provider.ts'
import type { MetricPush } from './metrics/push.ts'
import { RequestMetrics } from './metrics/red.ts'
import { observeRuntime } from './metrics/runtime.ts'
import { label, metric, variable } from './names.ts'
import { type Notice, stderrNotice } from './notice.ts'
import { type Options, type OtlpOptions, readOptions } from './options.ts'
import { Redaction } from './redaction.ts'
import { type Handle, nowStarting, startingSdk } from './running.ts'
import { ConsoleDestination, OwnExporter, type SpanExporter } from './traces/destinations.ts'
import { openHttpExporter } from './traces/otlp-exporter.ts'
import { SpanPipeline, type SpanProcessor } from './traces/pipeline.ts'
import { propagatorOf } from './traces/propagators.ts'
import { dropReasons, type ExportDestination, ExportQueue, type QueueState } from './traces/queue.ts'
import { ServiceResource } from './traces/resource.ts'
import { type Sampler, samplerOf } from './traces/sampler.ts'
import { type Sampling, SpanProvider } from './traces/tracer.ts'
import { Undecided } from './traces/undecided.ts'

/** What code may give beyond the environment. All of it is optional. */
export interface StartOptions extends Partial<Omit<Options, 'disabled' | 'faults'>> {
  /** Read instead of `process.env`. */
  env?: Environment
  /** OpenTelemetry processors that receive every sampled span. */
  spanProcessors?: SpanProcessor[]
  /** Replaces `OTEL_TRACES_SAMPLER`. */
  spanSampler?: Sampler
  /** Replaces `OTEL_TRACES_EXPORTER`. */
  spanExporter?: SpanExporter
  /** Replaces `OTEL_PROPAGATORS`. */
  textMapPropagator?: TextMapPropagator
}

/** Starts the SDK, as `start` of the package says. */
export async function start(given: StartOptions = {}): Promise<Handle> {
  const begun = startingSdk()
  if (begun) return begun
  const { env = process.env, spanProcessors = [], spanSampler, spanExporter, textMapPropagator, ...overrides } = given
  const notice = env.OTEL_LOG_LEVEL?.trim().toLowerCase() === 'none' ? () => {} : stderrNotice()
  const options = override(readOptions(env, notice), overrides)
  if (options.disabled) return { adminAddress: undefined, addReadinessCheck: () => () => {}, async shutdown() {} }
  const own = { spanProcessors, spanSampler, spanExporter, textMapPropagator }
  return nowStarting(startWith(env, options, own, notice))
}

interface OwnParts {
  spanProcessors: SpanProcessor[]
  spanSampler: Sampler | undefined
  spanExporter: SpanExporter | undefined
  textMapPropagator: TextMapPropagator | undefined
}

async function startWith(env: Environment, options: Options, own: OwnParts, notice: Notice): Promise<Handle> {
  listenToDiagnostics(options, notice)
  const redaction = new Redaction(options.redaction)
  const pipeline = await buildPipeline(options, redaction, own, notice)
  const propagator = own.textMapPropagator ?? propagatorOf(options.propagators)
  const provider = new SpanProvider(pipeline, samplingOf(options, own, pipeline), notice)
  const apiRegistered = registerApi(provider, propagator, notice)
  const meters = registerMeters(options, notice)

  const metrics = new RequestMetrics(options.maxSeries)
  const logs = await exportLogs(options, pipeline, notice)
  const lines = new LogLines(redaction, options.logFormat, options.serviceName, logs?.records)
  if (options.consoleIds || logs) watchConsole(lines, options.consoleIds)
  const levels = options.admin.key === undefined ? undefined : new LogLevels()
  const collection = new MetricCollection(new CardinalityGuard(options.maxSeries, notice), notice)
  const libraryMetrics = new LibraryMetrics(options.maxSeries)
  const calls = options.faults && new OpenCalls()
  const tracers = new MeasuredTracers(provider, pipeline, libraryMetrics, calls)
  const libraries = [
    ...express,
    koa,
    hapi,
    ...hono,
    pino(lines),
    ...(levels ? [pinoLevels(levels)] : []),
    winston(lines, levels),
    ...official(tracers),
    promClient(registry => collection.addApp(registry)),
  ]
  const witness = await callWitness(libraries)
  watchFastify(notice)

  const accessLog = options.accessLog
    ? new AccessLog(options.serviceName, line => lines.finished('access', line))
    : undefined
  const servers = new Servers()
  const seenRoutes = options.faults && new SeenRoutes()
  const observer = new ServerObserver({
    provider,
    propagator,
    metrics,
    accessLog,
    redaction,
    servers,
    seenRoutes,
    notice,
  })
  const caller = options.faults ? options.serviceName : undefined
  keepContextInEvents(notice)
  servers.watch(notice)
  observer.watch()
  const client = { provider, propagator, metrics, redaction, caller, notice }
  watchNodeClient(client)
  watchUndici(client)
  const members = new Members()
  const builtins = { 'node:http2': () => patchHttp2Client(client), 'node:cluster': () => leadCluster(members) }
  patchOnLoad(libraries, builtins, notice)
  preloadEvalThreads()

  const faults = new Tally('counter', metric.faultsInjected, 'Requests that an in-process fault has hit.', [
    label.faultId,
    label.faultKind,
  ])
  if (meters) collection.addMeters(async () => familiesOfMetrics(await meters.collect(), notice))
  let push: MetricPush | undefined
  const collect = collectMetrics(options, collection, () => [
    ...metrics.families(),
    ...libraryMetrics.families(),
    ...spanCounters(pipeline),
    ...pushCounters(push),
    ...logCounters(logs),
    ...(options.faults ? [faults.family()] : []),
  ])
  const readiness = new Readiness(() => servers.listening.size > 0)
  const telemetry = () => describeTelemetry(options, pipeline, push, accessLog, logs)
  const carryOut = async (request: 'drain' | 'flush') => {
    if (request === 'drain') await drain(ending)
    await flush(ending)
  }
  if (collect) push = await pushMetrics(options, pipeline.resource, () => seat.collectProcess(), notice)
  const seat = new Seat({ collect: collect ?? (async () => []), readiness, telemetry, carryOut }, members)
  const { drainTimeoutMs } = options
  const ending: Ending = {
    readiness,
    servers,
    observer,
    accessLog,
    pipeline,
    push,
    logs: logs?.queue,
    drainTimeoutMs,
    seat,
  }
  const admin = await listenUnlessSpokenFor(seat, levels, options, notice)
  const faultControl = await enableFaults(options, calls, faults, notice)
  witness?.testify({ env, options, pipeline, push, logs, servers, adminPort: admin.address?.port, apiRegistered })

  const unwatch = watchEndings(ending)
  return buildHandle(ending, admin, faultControl, unwatch)
}

/** What code gives wins over the environment; the service's name also stands among the resource's attributes. */
function override(read: Options, given: Partial<Options>): Options {
  const options = { ...read, ...given }
  const named: Options['resourceAttributes'] = {
    ...read.resourceAttributes,
    ...given.resourceAttributes,
    'service.name': options.serviceName,
  }
  const id = idOfProcess(String(named['service.instance.id']))
  return { ...options, resourceAttributes: { ...named, 'service.instance.id': id } }
}

async function buildPipeline(
  options: Options,
  redaction: Redaction,
  own: OwnParts,
  notice: Notice,
): Promise<SpanPipeline> {
  const destination = own.spanExporter
    ? new OwnExporter(own.spanExporter)
    : options.tracesExporter === 'otlp'
      ? await openOtlp(options.otlp, notice)
      : options.tracesExporter === 'console'
        ? new ConsoleDestination()
        : undefined
  const queue = destination && new ExportQueue(destination, options.queue, notice)
  const resource = new ServiceResource(options.resourceAttributes)
  return new SpanPipeline({ resource, limits: options.limits, redaction }, queue, own.spanProcessors, notice)
}

function samplingOf(options: Options, own: OwnParts, pipeline: SpanPipeline): Sampling {
  const decide = samplerOf(options.sampler, options.samplerRatio)
  if (own.spanSampler || options.sampler !== 'errors_and_slow') return { decide, own: own.spanSampler }
  return { decide, undecided: new Undecided(options.keep, pipeline) }
}

/** What OpenTelemetry's own packages have to say is not said unless it is asked for, and never on stdout. */
function listenToDiagnostics({ logLevel }: Options, notice: Notice): void {
  if (logLevel === undefined || logLevel === 'none') return
  const say = (message: string) => notice(`OpenTelemetry: ${message}`)
  const level = DiagLogLevel[logLevel.toUpperCase() as keyof typeof DiagLogLevel]
  diag.setLogger(
    { error: say, warn: say, info: say, debug: say, verbose: say },
    { logLevel: level, suppressOverrideMessage: true },
  )
}

/** gRPC brings a library of its own, which is loaded only for it. */
async function openOtlp(otlp: OtlpOptions, notice: Notice): Promise<ExportDestination | undefined> {
  if (otlp.protocol !== 'grpc') return openHttpExporter(otlp)
  try {
    const { openGrpcExporter } = await import('./traces/otlp-grpc.ts')
    return openGrpcExporter(otlp)
  } catch (error) {
    notice(`spans are not sent, the grpc exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

/** Whether the API gives its spans to us. */
function registerApi(provider: SpanProvider, propagator: TextMapPropagator, notice: Notice): boolean {
  const registered = [
    context.setGlobalContextManager(new SharedContextManager()),
    propagation.setGlobalPropagator(propagator),
    trace.setGlobalTracerProvider(provider),
  ]
  if (!registered.every(Boolean)) {
    notice('another OpenTelemetry SDK is registered in this process; spans made through the API go to that one')
  }
  return registered.every(Boolean)
}

/** The doctor's questions are asked, and their code is loaded, only while it examines this process. */
async function callWitness(libraries: readonly LibraryFile[]): Promise<Witness | undefined> {
  const folder = process.env[variable.doctor]
  if (!folder || !isMainThread) return undefined
  const { Witness } = await import('./doctor/witness.ts')
  return new Witness(folder, libraries)
}

function registerMeters(options: Options, notice: Notice): LazyMeterProvider | undefined {
  if (options.metricsExporters.length === 0) return undefined
  const meters = new LazyMeterProvider(options.maxSeries, notice)
  if (metricsApi.setGlobalMeterProvider(meters)) return meters
  notice('another OpenTelemetry SDK has registered its meters in this process; what they measure goes to that one')
  return undefined
}

function collectMetrics(
  options: Options,
  collection: MetricCollection,
  own: () => Family[],
): (() => Promise<Family[]>) | undefined {
  if (options.metricsExporters.length === 0) return undefined
  collection.addOwn(own)
  // They are the process', whose main thread tells them.
  if (isMainThread) collection.addOwn(observeRuntime())
  return () => collection.collect()
}

/** What pushes metrics stays unloaded where they are only scraped. */
async function pushMetrics(
  options: Options,
  resource: ServiceResource,
  collect: () => Promise<Family[]>,
  notice: Notice,
): Promise<MetricPush | undefined> {
  if (!isMainThread || options.metricsExporters.every(name => name === 'prometheus')) return undefined
  try {
    const { openPush } = await import('./metrics/open-push.ts')
    return await openPush(options, resource, collect, notice)
  } catch (error) {
    notice(`metrics are not sent, their exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

/** What sends logs stays unloaded where they only go to stdout. */
async function exportLogs(
  { logs }: Options,
  { resource, redaction }: SpanPipeline,
  notice: Notice,
): Promise<LogExport | undefined> {
  if (!logs) return undefined
  try {
    const { openLogs } = await import('./logs/open-logs.ts')
    return await openLogs(logs, resource, redaction, notice)
  } catch (error) {
    notice(`logs are not sent, their exporter cannot be opened: ${String(error)}`)
    return undefined
  }
}

function counter(name: string, help: string, value: number): Family {
  return { name, help, type: 'counter', samples: [{ name, labels: {}, value }] }
}

function pushCounters(push: MetricPush | undefined): Family[] {
  if (!push) return []
  return [
    counter(metric.metricExports, 'Times that the metrics were sent and accepted.', push.sent),
    counter(metric.metricExportsFailed, 'Times that the metrics could not be sent.', push.failed),
  ]
}

function spanCounters({ queue }: SpanPipeline): Family[] {
  if (!queue) return []
  const { spansMade: made, spansSent: sent, spansDropped: dropped } = metric
  return queueCounters(queue, { made, sent, dropped }, 'Sampled spans that ended')
}

function logCounters(logs: LogExport | undefined): Family[] {
  if (!logs) return []
  const { logsMade: made, logsSent: sent, logsDropped: dropped } = metric
  return queueCounters(logs.queue, { made, sent, dropped }, 'Log records')
}

function queueCounters(queue: QueueState, names: Record<'made' | 'sent' | 'dropped', string>, what: string): Family[] {
  return [
    counter(names.made, `${what}: sent, dropped and waiting ones.`, queue.made),
    counter(names.sent, `${what} that the destination accepted.`, queue.sent),
    {
      name: names.dropped,
      help: `${what} that were lost, by why.`,
      type: 'counter',
      samples: dropReasons.map(reason => ({
        name: names.dropped,
        labels: { [label.reason]: reason },
        value: queue.droppedFor[reason],
      })),
    },
  ]
}

function describeTelemetry(
  options: Options,
  { queue }: SpanPipeline,
  push: MetricPush | undefined,
  accessLog: AccessLog | undefined,
  logs: LogExport | undefined,
): object {
  return {
    service: options.serviceName,
    spans: describeQueue(queue),
    logs: logs ? describeQueue(logs.queue) : 'stdout only',
    metrics: {
      exporters: options.metricsExporters,
      destination: push?.destination.name ?? 'none',
      sent: push?.sent ?? 0,
      failed: push?.failed ?? 0,
      down: push?.down ?? false,
      lastFailure: push?.lastFailure,
    },
    accessLog: accessLog ? { dropped: accessLog.dropped } : 'off',
  }
}

/** The health and metrics listener: a thread's is its process', and a worker's its cluster's where the primary has the SDK. */
async function listenUnlessSpokenFor(
  seat: Seat,
  levels: LogLevels | undefined,
  options: Options,
  notice: Notice,
): Promise<AdminListener> {
  const listener: AdminListener = { address: undefined, close: () => {} }
  const opened = seat.spokenFor.then(async spokenFor => {
    if (spokenFor) return
    const { host, port, key } = options.admin
    const scraped = options.metricsExporters.includes('prometheus')
    const sources = {
      obstacles: () => seat.obstacles(),
      metrics: scraped ? () => seat.collectAll() : undefined,
      telemetry: () => seat.telemetry(),
      logLevel: levels && new LogLevelControl(levels, key!),
      notice,
    }
    Object.assign(listener, await listen(host, port, sources))
    if (port === 0 && listener.address) {
      notice(`health and metrics are on http://${host}:${listener.address.port}`)
    }
  })
  if (!seat.waits) await opened
  return listener
}

function describeQueue(queue: QueueState | undefined): object {
  return {
    destination: queue?.destination.name ?? 'none',
    made: queue?.made ?? 0,
    sent: queue?.sent ?? 0,
    dropped: queue?.dropped ?? 0,
    droppedFor: queue?.droppedFor,
    waiting: queue?.waiting ?? 0,
    packed: queue?.packed,
    down: queue?.down ?? false,
    lastFailure: queue?.lastFailure,
  }
}

interface FaultControl {
  close(): Promise<void>
}

/** Everything about faults stays unloaded unless it is switched on. Its listener is the SDK's own: not observed. */
async function enableFaults(
  options: Options,
  calls: OpenCalls | undefined,
  hits: Tally,
  notice: Notice,
): Promise<FaultControl | undefined> {
  if (!options.faults || !isMainThread) return undefined
  try {
    const faults = await import('./faults/enable.ts')
    const { serviceName } = options
    const count = (faultId: string, kind: string) => hits.add(1, faultId, kind)
    return untraced(() => faults.enableFaults({ ...options.faults!, serviceName, calls, warn: notice, count }))
  } catch (error) {
    notice(`faults cannot be enabled: ${String(error)}`)
    return undefined
  }
}

function buildHandle(
  ending: Ending,
  admin: AdminListener,
  faults: FaultControl | undefined,
  unwatch: () => void,
): Handle {
  return {
    get adminAddress() {
      return admin.address
    },
    addReadinessCheck: (name, check) => ending.readiness.add(name, check),
    async shutdown() {
      await drain(ending)
      ending.accessLog?.flush()
      await Promise.all([
        ending.pipeline.close(2_000),
        ending.push?.close(2_000),
        ending.logs?.close(2_000),
        ending.seat.flush(2_000),
      ])
      await faults?.close().catch(() => {})
      admin.close()
      unwatch()
    },
  }
}
