// What a team assembles by hand today: OpenTelemetry spans over OTLP/protobuf, a prom-client histogram, a pino access line with ids.
// TUNED is what an expert makes of it: no span for a middleware or handler, and (by variables) no OpenTelemetry metrics or logs.
const { NodeSDK } = require('@opentelemetry/sdk-node')
const { OTLPTraceExporter } = require('@opentelemetry/exporter-trace-otlp-proto')
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http')
const { ExpressInstrumentation } = require('@opentelemetry/instrumentation-express')
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici')

const ignoreLayersType = process.env.TUNED ? ['middleware', 'router', 'request_handler'] : []
const sdk = new NodeSDK({
  traceExporter: new OTLPTraceExporter(),
  instrumentations: [
    new HttpInstrumentation(),
    new ExpressInstrumentation({ ignoreLayersType }),
    new UndiciInstrumentation(),
  ],
})
sdk.start()
process.on('SIGTERM', () => sdk.shutdown().finally(() => process.exit(143)))

const { trace } = require('@opentelemetry/api')
const { Histogram, collectDefaultMetrics } = require('prom-client')
const pino = require('pino')
const { serve } = require('./server.cjs')

collectDefaultMetrics()
const durations = new Histogram({
  name: 'http_server_request_duration_seconds',
  help: 'Duration of HTTP server requests.',
  labelNames: ['http_request_method', 'http_route', 'http_response_status_code'],
  buckets: [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
})
const logger = pino({
  mixin() {
    const context = trace.getActiveSpan()?.spanContext()
    return context ? { trace_id: context.traceId, span_id: context.spanId, trace_flags: context.traceFlags } : {}
  },
})

serve([
  (request, response, next) => {
    const startedAt = process.hrtime.bigint()
    response.once('finish', () => {
      const seconds = Number(process.hrtime.bigint() - startedAt) / 1e9
      const route = request.route?.path ?? ''
      durations.observe(
        {
          http_request_method: request.method,
          http_route: route,
          http_response_status_code: response.statusCode,
        },
        seconds,
      )
      logger.info(
        { method: request.method, path: request.path, route, status: response.statusCode, durationMs: seconds * 1000 },
        'request',
      )
    })
    next()
  },
])
