/** Every variable that the SDK reads or refuses, in the words of `configuration.md`. What is missing here fails the generator. */
export interface Row {
  /** The first one's reading gives the default and what is expected; the others are its like for one signal. */
  names: string[]
  unit?: string
  /** Where the reading itself does not tell it. */
  default?: string
  text: string
}

const otlp = (setting: string, row: Omit<Row, 'names'>): Row => ({
  names: ['', 'TRACES_', 'METRICS_', 'LOGS_'].map(signal => `OTEL_EXPORTER_OTLP_${signal}${setting}`),
  ...row,
})

export const sections: Record<string, Row[]> = {
  'Who sends': [
    {
      names: ['OTEL_SERVICE_NAME'],
      default: 'the name in `package.json`',
      text: 'The name of the service. Where nothing says it, `unknown_service:<script>`.',
    },
    {
      names: ['OTEL_RESOURCE_ATTRIBUTES'],
      default: 'none',
      text: '`key=value,…`, percent-encoded: attributes of everything that is sent, over what is detected.',
    },
    {
      names: ['OTEL_NODE_RESOURCE_DETECTORS'],
      default: 'all',
      text: 'What [where the service runs](#where-the-service-runs) is told of, with commas.',
    },
  ],
  'The whole': [
    {
      names: ['OTEL_CONFIG_FILE'],
      default: 'none',
      text: 'A [declarative configuration](#the-configuration-file), in the place of all other `OTEL_*` variables.',
    },
    { names: ['OTEL_SDK_DISABLED'], text: '`true`: nothing is patched, nothing listens.' },
    {
      names: ['OTEL_LOG_LEVEL'],
      default: 'our own lines only',
      text: "From which level on what OpenTelemetry's own packages say stands on stderr; `none` silences our lines too.",
    },
  ],
  'What is instrumented': [
    {
      names: ['OTEL_NODE_ENABLED_INSTRUMENTATIONS'],
      default: 'all',
      text: 'Only these, with commas, by the names of auto-instrumentations-node. `http` is both directions, with their metrics and the access line.',
    },
    {
      names: ['OTEL_NODE_DISABLED_INSTRUMENTATIONS'],
      text: 'All but these. One that the SDK does not have (`fs`, `dns`, …) may be named.',
    },
  ],
  Traces: [
    {
      names: ['OTEL_TRACES_EXPORTER'],
      text: '`none`: spans keep their ids and reach your own processors, they are only not sent.',
    },
    {
      names: ['OTEL_TRACES_SAMPLER'],
      text: 'The six samplers of the specification, and [`errors_and_slow`](#keeping-errors-and-slow-requests).',
    },
    {
      names: ['OTEL_TRACES_SAMPLER_ARG'],
      text: 'The share of new traces that the samplers with a ratio take; 0 where the sampler is `errors_and_slow`.',
    },
    { names: ['SHAKETABLE_SLOW_THRESHOLD'], unit: 'ms', text: 'What `errors_and_slow` calls slow.' },
    {
      names: ['SHAKETABLE_UNDECIDED_SPANS'],
      unit: 'spans',
      text: 'How many ended spans may wait for the decision of `errors_and_slow`.',
    },
    {
      names: ['OTEL_PROPAGATORS'],
      text: 'With commas. All of them are written; `b3` is one header, `b3multi` several, and either reads both. Of several that find a caller `tracecontext` decides.',
    },
    {
      names: ['OTEL_BSP_MAX_QUEUE_SIZE'],
      unit: 'spans',
      text: 'Spans that wait as they are. When it is half full and the collector takes none, batches of it go into the outage buffer; without room there, new spans are dropped and counted.',
    },
    {
      names: ['SHAKETABLE_OUTAGE_BUFFER'],
      unit: 'bytes',
      text: 'How much waits besides, encoded and compressed to some 50 bytes a span, while the collector is away or slow; 0: nothing.',
    },
    { names: ['OTEL_BSP_MAX_EXPORT_BATCH_SIZE'], unit: 'spans', text: 'Spans of one request, at most the queue.' },
    { names: ['OTEL_BSP_SCHEDULE_DELAY'], unit: 'ms', text: 'How long a batch that is not full waits.' },
    { names: ['OTEL_BSP_EXPORT_TIMEOUT'], unit: 'ms', text: "For one batch; the exporter's own timeout counts too." },
    { names: ['OTEL_ATTRIBUTE_COUNT_LIMIT'], unit: 'attributes', text: 'For spans, events and links alike.' },
    {
      names: ['OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      unit: 'characters',
      default: 'none',
      text: 'Longer strings are cut.',
    },
    {
      names: ['OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT'],
      unit: 'attributes',
      default: 'the common one',
      text: 'Further attributes are dropped, and the span says how many.',
    },
    {
      names: ['OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      unit: 'characters',
      default: 'the common one',
      text: 'Of spans, their events and links.',
    },
    { names: ['OTEL_SPAN_EVENT_COUNT_LIMIT'], unit: 'events', text: 'The last ones stay.' },
    {
      names: ['OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'],
      unit: 'attributes',
      default: 'the common one',
      text: 'Of one event.',
    },
    { names: ['OTEL_SPAN_LINK_COUNT_LIMIT'], unit: 'links', text: 'The first ones stay.' },
    { names: ['OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'], unit: 'attributes', default: 'the common one', text: 'Of one link.' },
  ],
  'OTLP, for all signals or for one': [
    otlp('ENDPOINT', {
      default: '`http://localhost:4318`, grpc `:4317`',
      text: 'Over HTTP `/v1/traces`, `/v1/metrics` or `/v1/logs` is added to the common one; that of one signal is used as it is. With grpc the scheme may be missing.',
    }),
    otlp('PROTOCOL', { text: "OpenTelemetry's gRPC is loaded for `grpc` only." }),
    otlp('HEADERS', { default: 'none', text: '`key=value,…`, percent-encoded. Never shown.' }),
    otlp('TIMEOUT', { unit: 'ms', text: 'For one request.' }),
    otlp('COMPRESSION', { text: '' }),
    otlp('INSECURE', { text: 'For a grpc endpoint without a scheme: `true` is `http`.' }),
    otlp('CERTIFICATE', { default: "Node's authorities", text: 'The authorities that the collector is trusted by.' }),
    otlp('CLIENT_KEY', { default: 'none', text: 'For a collector that asks who sends; together with the next.' }),
    otlp('CLIENT_CERTIFICATE', { default: 'none', text: 'The certificate of that key.' }),
  ],
  Metrics: [
    {
      names: ['OTEL_METRICS_EXPORTER'],
      text: 'Several with commas. `prometheus` is `/metrics`; scrape or send into one store, not both.',
    },
    { names: ['OTEL_METRIC_EXPORT_INTERVAL'], unit: 'ms', text: 'For `otlp` and `console`.' },
    { names: ['OTEL_METRIC_EXPORT_TIMEOUT'], unit: 'ms', text: 'For collecting and sending together.' },
    {
      names: ['OTEL_EXPORTER_PROMETHEUS_HOST'],
      default: '`127.0.0.1`',
      text: 'Where `/metrics`, `/livez`, `/readyz` and `/telemetry` listen; `0.0.0.0` in a container.',
    },
    {
      names: ['OTEL_EXPORTER_PROMETHEUS_PORT'],
      text: '0 takes a free one and says which; a taken one is one warning.',
    },
    {
      names: ['SHAKETABLE_MAX_SERIES'],
      unit: 'series',
      text: 'Of one metric. What comes beyond is counted in one series with `otel_metric_overflow="true"`, and one line names the metric and the label.',
    },
    { names: ['OTEL_METRICS_EXEMPLAR_FILTER'], text: 'Exemplars are those of sampled spans.' },
    { names: ['OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'], text: '' },
    { names: ['OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'], text: '' },
  ],
  'Logs and the end': [
    {
      names: ['OTEL_LOGS_EXPORTER'],
      text: '`otlp` sends them besides; stdout has them either way. Send them or let a collector read stdout, not both.',
    },
    { names: ['OTEL_BLRP_MAX_QUEUE_SIZE'], unit: 'records', text: 'Log records that wait to be sent.' },
    { names: ['OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'], unit: 'records', text: 'Of one request, at most the queue.' },
    { names: ['OTEL_BLRP_SCHEDULE_DELAY'], unit: 'ms', text: 'How long a batch that is not full waits.' },
    { names: ['OTEL_BLRP_EXPORT_TIMEOUT'], unit: 'ms', text: 'For one batch.' },
    {
      names: ['OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT'],
      unit: 'attributes',
      default: 'the common one',
      text: 'Further ones are dropped, and the record says how many.',
    },
    {
      names: ['OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT'],
      unit: 'characters',
      default: 'the common one',
      text: 'Longer strings are cut.',
    },
    { names: ['SHAKETABLE_ACCESS_LOG'], text: '`off` leaves the log to you.' },
    {
      names: ['SHAKETABLE_LOG_FORMAT'],
      text: 'The form of the access log and of what pino and winston write as JSON; `ecs` is the Elastic Common Schema.',
    },
    {
      names: ['SHAKETABLE_CONSOLE_IDS'],
      text: '`off` leaves the lines of `console` without the ids of their trace, and as they are.',
    },
    {
      names: ['SHAKETABLE_REDACT'],
      text: 'With commas, or `none`: what leaves the process, in spans, log lines and URLs, only as `REDACTED`. See [redaction](logs.md#redaction).',
    },
    {
      names: ['SHAKETABLE_REDACT_NAMES'],
      default: 'none',
      text: 'With commas: more names of members, attributes and query parameters whose values are withheld.',
    },
    {
      names: ['SHAKETABLE_ADMIN_KEY'],
      default: 'none',
      text: 'At least 16 characters: enables [`PUT /loglevel`](logs.md#the-level-at-run-time) on the listener of `/metrics`.',
    },
    { names: ['SHAKETABLE_DRAIN_TIMEOUT'], unit: 'ms', text: 'How long a signal waits for requests in flight.' },
  ],
  Faults: [
    { names: ['SHAKETABLE_FAULTS'], default: '`off`', text: '`on`, with a key, enables in-process faults.' },
    { names: ['SHAKETABLE_FAULTS_KEY'], default: 'none', text: 'At least 16 characters, shared with the runner.' },
    { names: ['SHAKETABLE_FAULTS_HOST'], default: '`127.0.0.1`', text: 'Where faults are controlled.' },
    {
      names: ['SHAKETABLE_FAULTS_CERTIFICATE', 'SHAKETABLE_FAULTS_PRIVATE_KEY'],
      default: 'none',
      text: 'Files in PEM, which go together: with them fault control speaks TLS.',
    },
    { names: ['SHAKETABLE_FAULTS_PORT'], text: '0 takes a free one and says which.' },
  ],
  Conventions: [
    { names: ['OTEL_SEMCONV_STABILITY_OPT_IN'], default: 'none', text: 'The stable conventions are all there is.' },
  ],
}
