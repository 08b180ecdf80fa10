import { appendFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { AddressInfo, Server } from 'node:net'
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api'
import { withContext } from '../context.ts'
import type { Environment } from '../environment.ts'
import { watchChannel } from '../http/channel.ts'
import type { Servers } from '../http/servers.ts'
import { type LibraryFile, libraryChannel, type MetLibrary } from '../instrumentations/modules.ts'
import type { LogExport } from '../logs/open-logs.ts'
import type { MetricPush } from '../metrics/push.ts'
import { logMember } from '../names.ts'
import type { Options } from '../options.ts'
import type { Delivery } from '../otlp/queue.ts'
import { newSpanId, newTraceId } from '../traces/ids.ts'
import type { SpanPipeline } from '../traces/pipeline.ts'
import { RecordedSpan } from '../traces/span.ts'
import type { Observation, Signal } from './seen.ts'
import { examineVariables } from './variables.ts'

const canaryTimeoutMs = 3_000

export interface Testimony {
  env: Environment
  options: Options
  pipeline: SpanPipeline
  push: MetricPush | undefined
  logs: LogExport | undefined
  servers: Servers
  adminPort: number | undefined
  apiRegistered: boolean
}

/** Answers the doctor from inside an examined process: what the SDK sees, and a canary through its own parts. */
export class Witness {
  readonly #folder: string

  constructor(folder: string, libraries: readonly LibraryFile[]) {
    this.#folder = folder
    watchChannel<MetLibrary>(
      libraryChannel,
      () => {},
      met => this.#meet(met),
    )
    this.#write({ event: 'hooks', files: libraries.map(({ library, file }) => ({ library, file })) })
  }

  testify({ env, options, pipeline, push, logs, servers, adminPort, apiRegistered }: Testimony): void {
    watchChannel<{ server: Server }>(
      'tracing:net.server.listen:asyncEnd',
      () => {},
      ({ server }) => {
        if (servers.isOwn(server)) return
        this.#write({ event: 'serves', port: (server.address() as AddressInfo | null)?.port })
      },
    )
    this.#write({
      event: 'sdk',
      service: options.serviceName,
      sdkVersion: String(options.resourceAttributes['telemetry.sdk.version']),
      apiVersion: registeredApiVersion(),
      apiRegistered,
      spans: { exporter: options.tracesExporter, destination: pipeline.queue?.destination.name },
      scraped: options.metricsExporters.includes('prometheus'),
      pushedTo: push?.destination.name,
      logsTo: logs?.queue.destination.name,
      admin: { host: options.admin.host, port: options.admin.port, listeningOn: adminPort },
      variables: examineVariables(env),
    })
    void this.#sendSpan(pipeline)
    // A message with nothing in it asks the way, and leaves nothing behind.
    if (push) void this.#sendCanary('metrics', () => push.destination.send([], canaryTimeoutMs))
    if (logs) void this.#sendCanary('logs', () => logs.queue.probe([], canaryTimeoutMs))
  }

  /** Past the queue, the sampler and the counters, which stay as the app makes them. */
  async #sendSpan(pipeline: SpanPipeline): Promise<void> {
    const { queue, resource, limits, redaction } = pipeline
    if (!queue) return
    const sink = { resource, limits, redaction, started() {}, ended() {} }
    const span = new RecordedSpan(sink, {
      name: 'shaketable doctor',
      kind: SpanKind.INTERNAL,
      context: { traceId: newTraceId(), spanId: newSpanId(), traceFlags: TraceFlags.SAMPLED },
      parent: undefined,
      scope: { name: 'shaketable.doctor' },
    })
    span.end()
    await this.#sendCanary('traces', () => queue.probe([span], canaryTimeoutMs))
  }

  async #sendCanary(signal: Signal, send: () => Promise<Delivery>): Promise<void> {
    // An app that ends at once waits for the answer.
    const hold = setTimeout(() => {}, canaryTimeoutMs + 1_000)
    const from = performance.now()
    const delivery = await send()
    clearTimeout(hold)
    const ms = Math.round(performance.now() - from)
    if (delivery.outcome !== 'sent') this.#write({ event: 'canary', signal, ...delivery, ms })
    else if (delivery.rejected === 0) this.#write({ event: 'canary', signal, outcome: 'sent', ms })
    else this.#write({ event: 'canary', signal, outcome: 'refused', reason: 'it rejected what was sent', ms })
  }

  #meet({ library, version, path, failure: reason }: MetLibrary): void {
    if (reason) this.#write({ event: 'uninstrumented', library, version, reason })
    else this.#write({ event: 'instrumented', library, version })
    if (library === 'pino' && path && !reason) setImmediate(() => this.#writeLogLine(version, createRequire(path)))
  }

  /** One line of the app's own copy of pino, under a span, into nothing but our eyes. */
  #writeLogLine(version: string, require: NodeJS.Require): void {
    const { pino } = require('../pino.js') as typeof import('pino')
    const traceId = newTraceId()
    const span = { traceId, spanId: newSpanId(), traceFlags: TraceFlags.SAMPLED }
    const log = pino({}, { write: line => this.#write({ event: 'logLine', version, traced: holds(line, traceId) }) })
    withContext(trace.setSpanContext(ROOT_CONTEXT, span), () => log.info('shaketable doctor'))
  }

  #write(seen: Observation): void {
    try {
      appendFileSync(`${this.#folder}/${process.pid}.jsonl`, `${JSON.stringify(seen)}\n`)
    } catch {
      // The doctor has gone; the app goes on.
    }
  }
}

function holds(line: string, traceId: string): boolean {
  return (JSON.parse(line) as Record<string, unknown>)[logMember.traceId] === traceId
}

/** Every copy of the API keeps what is registered under this symbol, with the version of the copy that came first. */
function registeredApiVersion(): string {
  const registered = (globalThis as Record<symbol, unknown>)[Symbol.for('opentelemetry.js.api.1')]
  return (registered as { version?: string } | undefined)?.version ?? ''
}
