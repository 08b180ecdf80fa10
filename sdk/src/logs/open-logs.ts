import { logs } from '@opentelemetry/api'
import type { Notice } from '../notice.ts'
import { type Encoding, encoderOf, OtlpExporter } from '../otlp/http.ts'
import type { OtlpOptions } from '../otlp/options.ts'
import { type ExportDestination, ExportQueue, type QueueOptions } from '../otlp/queue.ts'
import type { Redaction } from '../redaction.ts'
import type { ServiceResource } from '../resource.ts'
import { encodeJson } from './otlp-json.ts'
import { encodeProtobuf } from './otlp-protobuf.ts'
import type { LogRecord } from './record.ts'
import { type LogLimits, LogRecords } from './records.ts'

/** What logs over OTLP need. */
export interface LogsOptions {
  otlp: OtlpOptions
  queue: QueueOptions
  limits: LogLimits
}

/** Logs that go out over OTLP, beside stdout. */
export interface LogExport {
  queue: ExportQueue<LogRecord>
  records: LogRecords
}

/** Begins to send logs, and gives OpenTelemetry's log API its provider. Throws when gRPC cannot be opened. */
export async function openLogs(
  { otlp, queue: queueOptions, limits }: LogsOptions,
  resource: ServiceResource,
  redaction: Redaction,
  notice: Notice,
): Promise<LogExport> {
  const { attributes } = resource
  const encoding: Encoding<LogRecord> = {
    json: records => encodeJson(attributes, records),
    protobuf: records => encodeProtobuf(attributes, records),
  }
  const queue = new ExportQueue(await openOtlp(otlp, encoding), queueOptions, notice, 'log records')
  const records = new LogRecords({ limits, redaction, add: record => queue.add(record) })
  if (!logs.setGlobalLoggerProvider(records))
    notice('another OpenTelemetry SDK has registered its logs in this process; what the API logs goes to that one')
  return { queue, records }
}

async function openOtlp(options: OtlpOptions, encoding: Encoding<LogRecord>): Promise<ExportDestination<LogRecord>> {
  if (options.protocol !== 'grpc') return new OtlpExporter(options, encoderOf(options, encoding))
  const { GrpcDestination } = await import('../otlp/grpc.ts')
  return new GrpcDestination(options, 'logs', encoding.protobuf)
}
