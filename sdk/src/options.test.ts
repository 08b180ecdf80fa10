import { describe, expect, test } from 'vitest'
import { readOptions } from './options.ts'

function read(env: Record<string, string>) {
  const notices: string[] = []
  return { options: readOptions(env, line => notices.push(line)), notices }
}

test('without variables: OTLP to localhost, everything sampled, health on loopback, no faults, no complaint', () => {
  const { options, notices } = read({})
  expect(notices).toEqual([])
  expect(options).toMatchObject({
    disabled: false,
    tracesExporter: 'otlp',
    otlp: { endpoint: 'http://localhost:4318/v1/traces', protocol: 'http/protobuf', timeoutMs: 10_000 },
    sampler: 'parentbased_always_on',
    propagators: ['tracecontext', 'baggage'],
    admin: { host: '127.0.0.1', port: 9464 },
    drainTimeoutMs: 10_000,
    faults: undefined,
  })
  // Its own package, as a tool in node_modules runs it: that of the working directory.
  expect(options.serviceName).toBe('shaketable-house')
})

test('the traces endpoint is used as it is, the shared one gets /v1/traces', () => {
  const shared = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318/' }
  expect(read(shared).options.otlp.endpoint).toBe('http://collector:4318/v1/traces')
  const own = { ...shared, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'https://tempo/otlp' }
  expect(read(own).options.otlp.endpoint).toBe('https://tempo/otlp')
})

test('grpc has its own default port, and no path is added', () => {
  const grpc = { OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'grpc' }
  expect(read(grpc).options.otlp).toMatchObject({ protocol: 'grpc', endpoint: 'http://localhost:4317' })
  const shared = { OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc', OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317' }
  expect(read(shared).options.otlp).toMatchObject({ protocol: 'grpc', endpoint: 'http://collector:4317' })
})

test('metrics go where OTEL_METRICS_EXPORTER says, with OTLP settings of their own', () => {
  expect(read({}).options).toMatchObject({ metricsExporters: ['prometheus'], metricsOtlp: undefined })
  expect(read({ OTEL_METRICS_EXPORTER: 'none' }).options.metricsExporters).toEqual([])
  const { options, notices } = read({
    OTEL_METRICS_EXPORTER: 'otlp,prometheus',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318',
    OTEL_EXPORTER_OTLP_HEADERS: 'team=a',
    OTEL_EXPORTER_OTLP_METRICS_HEADERS: 'team=b',
    OTEL_EXPORTER_OTLP_METRICS_PROTOCOL: 'http/json',
    OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: 'delta',
  })
  expect(options.metricsExporters).toEqual(['prometheus', 'otlp'])
  expect(options.metricsOtlp).toMatchObject({
    endpoint: 'http://collector:4318/v1/metrics',
    protocol: 'http/json',
    headers: { team: 'b' },
  })
  expect(notices).toEqual([expect.stringContaining('PREFERENCE=delta cannot be used: expected cumulative')])
})

test('only the detectors that are asked for look', () => {
  const { options, notices } = read({ OTEL_NODE_RESOURCE_DETECTORS: 'env,os', OTEL_RESOURCE_ATTRIBUTES: 'team=a' })
  const names = Object.keys(options.resourceAttributes).filter(name => !/^(telemetry|service)\./.test(name))
  expect(names).toEqual(['os.type', 'os.version', 'team'])
  expect(notices).toEqual([])
})

test('only what is enabled is instrumented, without what is disabled; what OpenTelemetry has alone may be disabled', () => {
  const chosen = (env: Record<string, string>) => {
    const { options, notices } = read(env)
    expect(notices).toEqual([])
    return options.instrumentations
  }
  const all = chosen({})
  expect(all).toContain('http')
  expect(chosen({ OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'fs, dns,pg' })).toEqual(all.filter(name => name !== 'pg'))
  const enabled = { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http,pg,express' }
  expect(chosen({ ...enabled, OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'express' })).toEqual(['http', 'pg'])
})

test('OTEL_SERVICE_NAME wins over service.name, and resource attributes are percent-decoded', () => {
  const env = { OTEL_SERVICE_NAME: 'orders', OTEL_RESOURCE_ATTRIBUTES: 'service.name=x,team=a%20b' }
  expect(read(env).options.resourceAttributes).toMatchObject({ 'service.name': 'orders', team: 'a b' })
})

describe('a value that cannot be honoured is refused in one line, and the default stands', () => {
  const cases: [string, string, string][] = [
    ['OTEL_TRACES_EXPORTER', 'zipkin', 'using otlp'],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', 'http/thrift', 'using http/protobuf'],
    ['OTEL_EXPORTER_OTLP_ENDPOINT', 'collector:4317', 'using the default'],
    ['OTEL_TRACES_SAMPLER', 'jaeger_remote', 'using parentbased_always_on'],
    ['OTEL_TRACES_SAMPLER_ARG', '150%', 'using 1'],
    ['OTEL_PROPAGATORS', 'jaeger', 'using tracecontext,baggage'],
    ['OTEL_PROPAGATORS', 'b3,xray', 'using b3'],
    ['OTEL_NODE_RESOURCE_DETECTORS', 'aws,host', 'using host'],
    ['OTEL_NODE_ENABLED_INSTRUMENTATIONS', 'http,aws-sdk', 'using http'],
    ['OTEL_NODE_DISABLED_INSTRUMENTATIONS', 'pg,reddis', 'using pg'],
    ['OTEL_LOG_LEVEL', 'loud', 'using error'],
    ['OTEL_SDK_DISABLED', 'yes', 'using false'],
    ['SHAKETABLE_SLOW_THRESHOLD', '0', 'using 500'],
    ['OTEL_METRICS_EXEMPLAR_FILTER', 'always_on', 'using trace_based'],
    ['OTEL_SEMCONV_STABILITY_OPT_IN', 'http/dup', 'expected http, database'],
    ['OTEL_LOGS_EXPORTER', 'console', 'using none'],
    ['OTEL_EXPORTER_OTLP_CERTIFICATE', '/no/such.pem', 'in PEM (ENOENT)'],
    ['OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE', import.meta.filename, 'of a file with a certificate in PEM'],
    ['OTEL_BSP_MAX_QUEUE_SIZE', '-1', 'using 2048'],
    ['OTEL_EXPORTER_OTLP_TIMEOUT', '0', 'using 10000'],
    ['OTEL_METRICS_EXPORTER', 'statsd', 'using prometheus'],
    ['OTEL_METRICS_EXPORTER', 'otlp,console', 'using otlp'],
    ['OTEL_METRIC_EXPORT_INTERVAL', '0', 'using 60000'],
    ['SHAKETABLE_MAX_SERIES', '0', 'using 2000'],
    ['OTEL_EXPORTER_PROMETHEUS_PORT', '70000', 'using 9464'],
    ['SHAKETABLE_DRAIN_TIMEOUT', '10s', 'using 10000'],
  ]
  test.each(cases)('%s=%s: %s', (name, value, expected) => {
    const { notices } = read({ [name]: value })
    expect(notices).toHaveLength(1)
    expect(notices[0]).toContain(`${name}`)
    expect(notices[0]).toContain(expected)
  })
})

test('a broken header is refused without showing it', () => {
  const { notices } = read({ OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%zz' })
  expect(notices).toHaveLength(1)
  expect(notices[0]).not.toContain('Bearer')
})

test('faults need the switch and a key of at least 16 characters', () => {
  const key = '0123456789abcdef'
  expect(read({ SHAKETABLE_FAULTS_KEY: key }).options.faults).toBeUndefined()
  const short = read({ SHAKETABLE_FAULTS: 'on', SHAKETABLE_FAULTS_KEY: 'short' })
  expect(short.options.faults).toBeUndefined()
  expect(short.notices).toEqual([expect.not.stringContaining('=short')])
  const on = read({ SHAKETABLE_FAULTS: 'on', SHAKETABLE_FAULTS_KEY: key })
  expect(on.options.faults).toEqual({ host: '127.0.0.1', port: 0, key })
})
