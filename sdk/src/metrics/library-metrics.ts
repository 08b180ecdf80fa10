import { type Attributes, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { dbDurationBoundaries, httpDurationBoundaries, label, metric } from '../names.ts'
import type { RecordedSpan } from '../traces/span.ts'
import type { Family } from './exposition.ts'
import { Histogram } from './histogram.ts'

/**
 * Rate, errors and duration of database operations, messages and remote calls: taken from the spans of their
 * instrumentations as they end, sampled or not, so that both say the same of every library, whichever conventions its
 * instrumentation follows.
 */
export class LibraryMetrics {
  readonly #database: Histogram
  readonly #sending: Histogram
  readonly #processing: Histogram
  readonly #made: Histogram
  readonly #served: Histogram

  constructor(maxSeries: number) {
    const histogram = (name: string, help: string, labels: readonly string[], boundaries: readonly number[]) =>
      new Histogram(name, help, [...labels, label.errorType], boundaries, maxSeries)
    const peer = [label.serverAddress, label.serverPort]
    const database = [label.dbSystem, label.dbNamespace, label.dbOperation, ...peer]
    const messaging = [label.messagingSystem, label.messagingOperation, label.messagingDestination, ...peer]
    const call = [label.rpcSystem, label.rpcMethod, label.rpcStatus, ...peer]
    const seconds = httpDurationBoundaries
    this.#database = histogram(
      metric.dbClientDuration,
      'Duration of database operations.',
      database,
      dbDurationBoundaries,
    )
    this.#sending = histogram(
      metric.messagingClientDuration,
      'Duration of sending messages to the broker.',
      messaging,
      seconds,
    )
    this.#processing = histogram(
      metric.messagingProcessDuration,
      'Duration of processing a received message.',
      messaging,
      seconds,
    )
    this.#made = histogram(metric.rpcClientDuration, 'Duration of remote calls that the service makes.', call, seconds)
    this.#served = histogram(
      metric.rpcServerDuration,
      'Duration of remote calls that the service serves.',
      call.slice(0, 3),
      seconds,
    )
  }

  /** An ended span of an instrumentation; spans of anything else, such as connecting, are left out. */
  measure(span: RecordedSpan): void {
    const { attributes, kind } = span
    const seconds = (span.endMs - span.startMs) / 1000
    const exemplar = span.isSampled() ? span.spanContext() : undefined
    const record = (histogram: Histogram, values: readonly string[]) =>
      histogram.series([...values, errorTypeOf(span)]).record(seconds, exemplar)
    const peer = [text(attributes['server.address']), text(attributes['server.port'])]
    if (attributes['db.system.name'] !== undefined) {
      const operation = operationOf(attributes)
      if (kind !== SpanKind.CLIENT || operation === undefined) return
      record(this.#database, [text(attributes['db.system.name']), text(attributes['db.namespace']), operation, ...peer])
    } else if (attributes['rpc.system'] !== undefined) {
      const { 'rpc.service': service, 'rpc.method': method, 'rpc.grpc.status_code': status } = attributes
      const call = [text(attributes['rpc.system']), `${text(service)}/${text(method)}`, grpcStatus(status)]
      if (kind === SpanKind.CLIENT) record(this.#made, [...call, ...peer])
      else record(this.#served, call)
    } else if (kind === SpanKind.PRODUCER) {
      record(this.#sending, [...messageOf(attributes, 'send'), ...peer])
    } else if (kind === SpanKind.CONSUMER) {
      record(this.#processing, [...messageOf(attributes, 'process'), ...peer])
    }
  }

  /** Those that have been measured. */
  families(): Family[] {
    return [this.#database, this.#sending, this.#processing, this.#made, this.#served]
      .map(histogram => histogram.family())
      .filter(family => family.samples.length > 0)
  }
}

/** What a client of Redis says as it connects. */
const greeting = new Set(['HELLO', 'AUTH', 'CLIENT', 'INFO', 'SELECT', 'READONLY'])

/**
 * The operation as the instrumentation names it, else the statement's first word; undefined for connecting. Redis' commands
 * are one, however the app's library writes them.
 */
function operationOf(attributes: Attributes): string | undefined {
  const { 'db.operation.name': named, 'db.query.text': statement } = attributes
  if (attributes['db.system.name'] === 'redis') {
    const command = text(named).toUpperCase()
    return command === '' || greeting.has(command) ? undefined : command
  }
  if (named !== undefined) return text(named)
  if (statement === undefined) return undefined
  return /^\s*([a-z]{2,20})\b/i.exec(text(statement))?.[1]?.toUpperCase() ?? ''
}

/** A queue of the default exchange is called by its routing key, as RabbitMQ does it. */
function messageOf(attributes: Attributes, operation: string): string[] {
  const destination =
    attributes['messaging.destination.name'] ||
    attributes['messaging.destination'] ||
    attributes['messaging.rabbitmq.routing_key']
  return [text(attributes['messaging.system']), operation, text(destination)]
}

function errorTypeOf({ attributes, status }: RecordedSpan): string {
  if (status.code !== SpanStatusCode.ERROR) return ''
  const { 'error.type': type, 'db.response.status_code': database, 'rpc.grpc.status_code': rpc } = attributes
  return text(type ?? database) || grpcStatus(rpc) || '_OTHER'
}

const grpcStatuses =
  'OK CANCELLED UNKNOWN INVALID_ARGUMENT DEADLINE_EXCEEDED NOT_FOUND ALREADY_EXISTS PERMISSION_DENIED RESOURCE_EXHAUSTED FAILED_PRECONDITION ABORTED OUT_OF_RANGE UNIMPLEMENTED INTERNAL UNAVAILABLE DATA_LOSS UNAUTHENTICATED'.split(
    ' ',
  )

function grpcStatus(code: unknown): string {
  return typeof code === 'number' ? (grpcStatuses[code] ?? String(code)) : ''
}

function text(value: unknown): string {
  return value === undefined ? '' : String(value)
}
