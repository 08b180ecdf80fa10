import type { AccessLog } from './logs/access-log.ts'
import type { LogExport } from './logs/open-logs.ts'
import type { Family } from './metrics/exposition.ts'
import type { MetricPush } from './metrics/push.ts'
import { label, metric } from './names.ts'
import type { Options } from './options.ts'
import { dropReasons, type QueueState } from './otlp/queue.ts'
import type { SpanPipeline } from './traces/pipeline.ts'

/** What tells how the SDK's own telemetry fares. */
export interface SelfTelemetry {
  options: Options
  pipeline: SpanPipeline
  push: MetricPush | undefined
  accessLog: AccessLog | undefined
  logs: LogExport | undefined
}

/** As counters on `/metrics` and over OTLP. */
export function selfCounters({ pipeline, push, logs }: SelfTelemetry): Family[] {
  return [...spanCounters(pipeline), ...pushCounters(push), ...logCounters(logs)]
}

/** As `/telemetry` shows it. */
export function describeSelf({ options, pipeline, push, accessLog, logs }: SelfTelemetry): object {
  return {
    service: options.serviceName,
    spans: describeQueue(pipeline.queue),
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
