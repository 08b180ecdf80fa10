import type { Examination } from '../examination.ts'
import { allOf, canaryOf, firstOf, type SeenProcess } from '../seen.ts'
import { type Finding, note, problem } from './finding.ts'

/** Whether each signal has a way out, and gets there. */
export function delivery(app: SeenProcess, examination: Examination): Finding[] {
  return [...name(app), ...traces(app, examination), ...metrics(app, examination), ...logs(app, examination)]
}

function name(app: SeenProcess): Finding[] {
  const { service } = firstOf(app, 'sdk')!
  if (!service.startsWith('unknown_service')) return []
  const message = `the service has no name, it is sent as ${service}`
  return [note('SHAKETABLE_SERVICE_UNNAMED', message, 'set OTEL_SERVICE_NAME')]
}

function traces(app: SeenProcess, { end }: Examination): Finding[] {
  const { spans } = firstOf(app, 'sdk')!
  if (spans.exporter !== 'otlp') {
    const why = `spans are not sent over OTLP, but go ${spans.destination ? `to ${spans.destination}` : 'nowhere'}`
    return [note('SHAKETABLE_TRACES_OFF', why, 'set OTEL_TRACES_EXPORTER=otlp where a collector is')]
  }
  const canary = canaryOf(app, 'traces')
  if (canary ? canary.outcome === 'sent' : end.byItself) return []
  const none = spans.destination ? 'no answer came while the doctor waited' : 'its exporter cannot be opened'
  return [
    problem(
      'SHAKETABLE_TRACES_NOT_DELIVERED',
      `a test span did not get through${spans.destination ? `, ${spans.destination}` : ''}: ${firstLine(canary?.reason ?? none)}`,
      adviceFor(canary?.reason),
    ),
  ]
}

function metrics(app: SeenProcess, { scrapes, end }: Examination): Finding[] {
  const { admin, scraped, pushedTo } = firstOf(app, 'sdk')!
  const scrape = scrapes.get(app.pid)
  const found: Finding[] = []
  if (admin.listeningOn === undefined) {
    found.push(
      problem(
        'SHAKETABLE_PORT_TAKEN',
        `health and metrics cannot listen on ${admin.host}:${admin.port}`,
        'end what listens there, or set OTEL_EXPORTER_PROMETHEUS_PORT; 0 takes a free port',
      ),
    )
  } else if (!scraped && !pushedTo) {
    found.push(
      note(
        'SHAKETABLE_METRICS_OFF',
        'metrics are neither scraped nor sent',
        'set OTEL_METRICS_EXPORTER to prometheus or otlp',
      ),
    )
  } else if (scraped && !end.byItself && !scrape?.samples) {
    found.push(
      problem(
        'SHAKETABLE_METRICS_UNREACHABLE',
        `/metrics on port ${admin.listeningOn} cannot be scraped: ${scrape?.failure ?? 'the page is empty'}`,
        'see whether OTEL_EXPORTER_PROMETHEUS_HOST is an address of this machine',
      ),
    )
  }
  const reason = undelivered(app, 'metrics', pushedTo, end.byItself)
  if (reason) {
    found.push(
      problem(
        'SHAKETABLE_METRICS_NOT_DELIVERED',
        `metrics do not get through, ${pushedTo}: ${firstLine(reason)}`,
        adviceFor(reason),
      ),
    )
  }
  return found
}

function logs(app: SeenProcess, { end }: Examination): Finding[] {
  const { logsTo } = firstOf(app, 'sdk')!
  const found: Finding[] = []
  const reason = undelivered(app, 'logs', logsTo, end.byItself)
  if (reason) {
    found.push(
      problem(
        'SHAKETABLE_LOGS_NOT_DELIVERED',
        `logs do not get through, ${logsTo}: ${firstLine(reason)}`,
        adviceFor(reason),
      ),
    )
  }
  for (const line of allOf(app, 'logLine').filter(one => !one.traced)) {
    found.push(
      problem(
        'SHAKETABLE_LOGS_UNTRACED',
        `a line of pino ${line.version} under a span carries no trace_id`,
        'update @shaketable/sdk, or report it with your version of pino',
      ),
    )
  }
  return found
}

/** Why nothing got through; an app that has ended may have been too quick for an answer. */
function undelivered(app: SeenProcess, signal: 'metrics' | 'logs', to: string | undefined, ended: boolean) {
  const canary = canaryOf(app, signal)
  if (!to || (canary ? canary.outcome === 'sent' : ended)) return undefined
  return canary?.reason ?? 'no answer came while the doctor waited'
}

const firstLine = (reason: string) => reason.split('\n', 1)[0]!

/** What came back, and what to do about it: the first that fits. */
const remedies: [RegExp, string][] = [
  [
    /Expected HTTP\//,
    'what listens there is no HTTP/1.1: set OTEL_EXPORTER_OTLP_PROTOCOL=grpc, or name its http port, 4318',
  ],
  [
    /Protocol error/,
    'what listens there is no gRPC: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf, or name its grpc port, 4317',
  ],
  [/wrong version number|EPROTO/, 'what listens there speaks no TLS: begin the endpoint with http://'],
  [/certificate|CERT/, 'name the authority of its certificate in OTEL_EXPORTER_OTLP_CERTIFICATE'],
  [/ENOTFOUND|EAI_AGAIN|Name resolution/, 'there is no such host: correct OTEL_EXPORTER_OTLP_ENDPOINT'],
  [
    /ECONNREFUSED/,
    'nothing listens there: start the collector, or correct OTEL_EXPORTER_OTLP_ENDPOINT; its http is on 4318, its grpc on 4317',
  ],
  [
    /answered (404|405)|UNIMPLEMENTED|web page/,
    'its path is another: OTEL_EXPORTER_OTLP_ENDPOINT gets /v1/traces and the like added, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is taken as it is',
  ],
  [
    /answered (401|403)|UNAUTHENTICATED|PERMISSION_DENIED/,
    'it wants to know who you are: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20…',
  ],
]

function adviceFor(reason = ''): string {
  const otherwise =
    'see what the collector says, and whether OTEL_EXPORTER_OTLP_ENDPOINT, _PROTOCOL and _HEADERS are those that it expects'
  return remedies.find(([said]) => said.test(reason))?.[1] ?? otherwise
}
