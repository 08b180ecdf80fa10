import { isMainThread } from 'node:worker_threads'
import type { TextMapPropagator } from '@opentelemetry/api'
import { type AdminListener, listen } from './admin/listener.ts'
import { LogLevelControl } from './admin/log-level.ts'
import { Readiness } from './admin/readiness.ts'
import { listenToDiagnostics, registerApi, registerMeters } from './api-registration.ts'
import type { Environment } from './environment.ts'
import { watchNodeClient, watchUndici } from './http/client.ts'
import { patchHttp2Client } from './http/http2-client.ts'
import { outcomesOf } from './http/made-request.ts'
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
import { patchOnLoad } from './instrumentations/modules.ts'
import { mysql2Contexts } from './instrumentations/mysql2.ts'
import { type InstrumentationName, instrumentationOf } from './instrumentations/names.ts'
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
import type { MetricPush } from './metrics/push.ts'
import { RequestMetrics } from './metrics/red.ts'
import { observeRuntime } from './metrics/runtime.ts'
import { label, metric } from './names.ts'
import { type Notice, stderrNotice } from './notice.ts'
import { atTheEdge, callWitness, enableFaults, exportLogs, type FaultControl, pushMetrics } from './on-demand.ts'
import { type Options, readOptions } from './options.ts'
import type { SpanExporter } from './otlp/own-exporter.ts'
import { Redaction } from './redaction.ts'
import { type Handle, nowStarting, startingSdk } from './running.ts'
import { describeSelf, selfCounters } from './self-telemetry.ts'
import { type OwnParts, openPipeline, samplingOf } from './traces/open-pipeline.ts'
import type { SpanProcessor } from './traces/pipeline.ts'
import { propagatorOf } from './traces/propagators.ts'
import type { Sampler } from './traces/sampler.ts'
import { SpanProvider } from './traces/tracer.ts'

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

async function startWith(env: Environment, options: Options, own: OwnParts, notice: Notice): Promise<Handle> {
  listenToDiagnostics(options, notice)
  const redaction = new Redaction(options.redaction)
  const pipeline = await openPipeline(options, redaction, own, notice)
  const propagator = await atTheEdge(own.textMapPropagator ?? propagatorOf(options.propagators), options)
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
  const uses = (name?: InstrumentationName) => name === undefined || options.instrumentations.includes(name)
  const libraries = [
    ...express,
    koa,
    hapi,
    ...hono,
    pino(lines),
    ...(levels ? [pinoLevels(levels)] : []),
    winston(lines, levels),
    ...official(tracers),
    ...mysql2Contexts,
    promClient(registry => collection.addApp(registry)),
  ].filter(({ library }) => uses(instrumentationOf(library)))
  const witness = await callWitness(libraries)
  if (uses('fastify')) watchFastify(notice)

  const accessLog = options.accessLog ? new AccessLog(options.serviceName, lines.finishing('access')) : undefined
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
  if (uses('http')) observer.watch()
  const client = { provider, propagator, outcomes: outcomesOf(metrics), redaction, caller, calls, notice }
  if (uses('http')) watchNodeClient(client)
  if (uses('undici')) watchUndici(client)
  const members = new Members()
  const builtins = {
    ...(uses('http') && { 'node:http2': () => patchHttp2Client(client) }),
    'node:cluster': () => leadCluster(members),
  }
  patchOnLoad(libraries, builtins, notice)
  preloadEvalThreads()

  const faults = new Tally('counter', metric.faultsInjected, 'Requests that an in-process fault has hit.', [
    label.faultId,
    label.faultKind,
  ])
  if (meters) collection.addMeters(async () => familiesOfMetrics(await meters.collect(), notice))
  let push: MetricPush | undefined
  const self = () => ({ options, pipeline, push, accessLog, logs })
  const collect = collectMetrics(options, collection, () => [
    ...metrics.families(),
    ...libraryMetrics.families(),
    ...selfCounters(self()),
    ...(options.faults ? [faults.family()] : []),
  ])
  const readiness = new Readiness(() => servers.listening.size > 0)
  const telemetry = () => describeSelf(self())
  const carryOut = async (request: 'drain' | 'flush') => {
    if (request === 'drain') await drain(ending)
    await flush(ending)
  }
  if (collect) push = await pushMetrics(options, pipeline.resource, () => seat.collectProcess(), notice)
  const end = () => {
    if (ending.signalled) return
    ending.told = true
    process.kill(process.pid, 'SIGTERM')
  }
  const seat = new Seat({ collect: collect ?? (async () => []), readiness, telemetry, carryOut, end }, members)
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
    signalled: false,
    told: false,
  }
  const admin = await listenUnlessSpokenFor(seat, levels, options, notice)
  const faultControl = await enableFaults(options, calls, faults, notice)
  witness?.testify({ env, options, pipeline, push, logs, servers, adminPort: admin.address?.port, apiRegistered })

  const unwatch = watchEndings(ending)
  return buildHandle(ending, admin, faultControl, unwatch)
}

/** What code gives wins over the environment; the service's name also stands among the resource's attributes. */
function override(read: Options, given: Partial<Options>): Options {
  const stated = Object.entries(given).filter(([, value]) => value !== undefined)
  const options: Options = { ...read, ...Object.fromEntries(stated) }
  const named: Options['resourceAttributes'] = {
    ...read.resourceAttributes,
    ...given.resourceAttributes,
    'service.name': options.serviceName,
  }
  const id = idOfProcess(String(named['service.instance.id']))
  return { ...options, resourceAttributes: { ...named, 'service.instance.id': id } }
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
