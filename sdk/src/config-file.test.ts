import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readOptions } from './options.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-config-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function read(yaml: string, env: Record<string, string> = {}) {
  const path = join(folder, 'otel.yaml')
  writeFileSync(path, yaml)
  const lines: string[] = []
  const options = readOptions({ ...env, OTEL_CONFIG_FILE: path }, line => lines.push(line.replace(path, 'otel.yaml')))
  return { options, lines }
}

test('what a file does not mention does not exist', () => {
  const { options, lines } = read('file_format: "1.0"\n')
  expect(options).toMatchObject({ tracesExporter: 'none', metricsExporters: [], propagators: [] })
  expect(lines).toEqual([])
})

test('every part that has a variable is honoured, references to the environment are filled in', () => {
  const { options, lines } = read(
    `
file_format: "1.0"
log_level: warn2
attribute_limits: { attribute_count_limit: 9 }
resource: { attributes_list: "team=a%20b", attributes: [{ name: service.name, value: orders, type: string }] }
propagator: { composite_list: "tracecontext,b3multi" }
tracer_provider:
  processors:
    - batch:
        schedule_delay: 1
        export_timeout: 2
        max_queue_size: 30
        max_export_batch_size: 4
        exporter: { otlp_grpc: { endpoint: "\${HOST}:4317", timeout: 5, tls: { insecure: true }, headers: [{ name: key, value: "\${KEY:-a, b}$$" }] } }
  limits: { event_count_limit: 6, link_attribute_count_limit: 7 }
  sampler: { trace_id_ratio_based: { ratio: 0.5 } }
meter_provider:
  readers:
    - periodic: { interval: 8, exporter: { otlp_http: { endpoint: http://c/m } } }
    - pull: { exporter: { prometheus/development: { host: 0.0.0.0, port: 9 } } }
logger_provider:
  processors: [batch: { schedule_delay: 10, exporter: { otlp_http: { endpoint: http://c/l } } }]
`,
    { HOST: 'collector', SHAKETABLE_ACCESS_LOG: 'off' },
  )
  expect(lines).toEqual([])
  expect(options).toMatchObject({
    serviceName: 'orders',
    resourceAttributes: { team: 'a b' },
    logLevel: 'warn',
    propagators: ['tracecontext', 'b3multi'],
    otlp: { protocol: 'grpc', endpoint: 'http://collector:4317', timeoutMs: 5, headers: { key: 'a, b$' } },
    queue: { delayMs: 1, timeoutMs: 2, maxQueueSize: 30, maxBatchSize: 4 },
    limits: { attributeCount: 9, eventCount: 6, linkAttributeCount: 7 },
    sampler: 'traceidratio',
    samplerRatio: 0.5,
    metricsExporters: ['prometheus', 'otlp'],
    metricsOtlp: { endpoint: 'http://c/m' },
    metricsPush: { intervalMs: 8 },
    logs: { otlp: { endpoint: 'http://c/l' }, queue: { delayMs: 10 } },
    admin: { host: '0.0.0.0', port: 9 },
    accessLog: false,
  })
})

test('what has no counterpart, and what has a bad value, is refused with its place', () => {
  const { options, lines } = read(`file_format: "1.0"
tracer_provider:
  processors:
    - batch: { schedule_delay: soon, exporter: { console: } }
    - simple: { exporter: { console: } }
  sampler:
    jaeger_remote/development: { endpoint: http://a }
instrumentation/development: { general: }
propagator: tracecontext
resource: { attributes: [{ name: a, value: [1], more: 2 }, { value: b }] }
`)
  expect(options.tracesExporter).toBe('console')
  expect(lines).toEqual([
    'otel.yaml:5:7: processors: is ignored: there is one exporter of each signal',
    'otel.yaml:7:5: jaeger_remote/development: is not supported and is ignored, expected always_on, always_off, trace_id_ratio_based, errors_and_slow, parent_based',
    'otel.yaml:8:30: instrumentation/development: is not supported and is ignored: the stable conventions are all there is',
    'otel.yaml:9:13: propagator: expected a mapping',
    'otel.yaml:10:44: value: expected a single value',
    'otel.yaml:10:49: more: is not supported and is ignored, expected name, value, type',
    'otel.yaml:10:60: attributes: expected a name',
    'otel.yaml:4:32: schedule_delay=soon cannot be used: expected a whole number from 0 to 2147483647; using 5000',
  ])
})

test.each([
  ['file_format: "0.4"\n', 'otel.yaml:1:1: file_format is 0.4, expected "1.0"; the OTEL_* variables stand'],
  ['- a\n', 'otel.yaml:1:1: expected a mapping that begins with file_format; the OTEL_* variables stand'],
  ['file_format: "1.0"\nresource: { a\n', /^otel\.yaml:3:1: .*; the OTEL_\* variables stand$/],
])('a file that cannot be used leaves the variables: %j', (yaml, line) => {
  const { options, lines } = read(yaml, { OTEL_SERVICE_NAME: 'from the variable' })
  expect(options.serviceName).toBe('from the variable')
  expect(lines).toEqual([typeof line === 'string' ? line : expect.stringMatching(line)])
})

test('a file that is not there leaves the variables too; beside one that is, they are ignored aloud', () => {
  const lines: string[] = []
  const env = { OTEL_CONFIG_FILE: '/no/such.yaml', OTEL_SERVICE_NAME: 'a' }
  expect(readOptions(env, line => lines.push(line)).serviceName).toBe('a')
  expect(lines).toEqual(['OTEL_CONFIG_FILE=/no/such.yaml cannot be read: ENOENT; the OTEL_* variables stand'])
  const other = read(`file_format: "1.0"\nresource: { attributes_list: "team=\${OTEL_TEAM}" }\n`, {
    OTEL_TEAM: 'a',
    OTEL_TRACES_SAMPLER: 'always_off',
  })
  expect(other.options).toMatchObject({ sampler: 'parentbased_always_on', resourceAttributes: { team: 'a' } })
  expect(other.lines).toEqual(['OTEL_CONFIG_FILE is set, so that other variables are ignored: OTEL_TRACES_SAMPLER'])
})

test('a reference that is none is refused', () => {
  expect(read(`file_format: "1.0"\ndisabled: \${1}\n`).lines[0]).toBe(
    `otel.yaml:2:11: disabled: \${1} is no reference to a variable, expected \${NAME} or \${NAME:-default}`,
  )
})

test('the example of the documentation is honoured whole', () => {
  const page = readFileSync(new URL('../docs/configuration.md', import.meta.url), 'utf8')
  const [, example] = /<!-- file: otel\.yaml -->\n```yaml\n([\s\S]*?)```/.exec(page)!
  const { options, lines } = read(example!, { COLLECTOR: 'http://c:4318' })
  expect(lines).toEqual([])
  expect(options).toMatchObject({
    serviceName: 'orders',
    otlp: { endpoint: 'http://c:4318/v1/traces' },
    sampler: 'errors_and_slow',
    samplerRatio: 0.01,
    metricsExporters: ['prometheus'],
  })
})
