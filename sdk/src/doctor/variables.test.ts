import { expect, test } from 'vitest'
import { examineVariables } from './variables.ts'

test('what the SDK honours, and what is not its own, is no problem', () => {
  const env = { OTEL_SERVICE_NAME: 'a', SHAKETABLE_ACCESS_LOG: 'off', SHAKETABLE_STATE: '/a', SHAKETABLE_DOCTOR: '/b' }
  expect(examineVariables({ ...env, PATH: '/bin', OTEL_LOG_LEVEL: ' ' })).toEqual([])
})

test('a slip of the pen gets the name that was meant, whatever the case; the rest gets none', () => {
  const env = { OTEL_SERVICENAME: 'a', otel_traces_exporter: 'otlp', OTEL_TRACE_SAMPLER: 'always_on', OTEL_JOY: '1' }
  expect(examineVariables(env)).toEqual([
    { kind: 'unknown', name: 'OTEL_SERVICENAME', nearest: 'OTEL_SERVICE_NAME' },
    { kind: 'unknown', name: 'otel_traces_exporter', nearest: 'OTEL_TRACES_EXPORTER' },
    { kind: 'unknown', name: 'OTEL_TRACE_SAMPLER', nearest: 'OTEL_TRACES_SAMPLER' },
    { kind: 'unknown', name: 'OTEL_JOY', nearest: undefined },
  ])
})

test('what only counts beside another setting is ignored without it, and not taken for a slip', () => {
  const env = { OTEL_EXPORTER_OTLP_METRICS_ENDPOINT: 'http://a', OTEL_EXPORTER_OTLP_METRICS_TIMEOUT: '1' }
  expect(examineVariables(env)).toEqual(Object.keys(env).map(name => ({ kind: 'ignored', name })))
})

test('our own variables that lack what they need beside them are ignored', () => {
  expect(examineVariables({ SHAKETABLE_FAULTS_PORT: '9000' })).toEqual([
    { kind: 'ignored', name: 'SHAKETABLE_FAULTS_PORT' },
  ])
})

test('a refused value is told in the words of the SDK, and a secret is not told', () => {
  const env = { OTEL_TRACES_SAMPLER: 'sometimes', OTEL_EXPORTER_OTLP_HEADERS: 'se%cret' }
  const lines = examineVariables(env).map(one => one.kind === 'refused' && one.line)
  expect(lines).toEqual([
    expect.stringMatching(/^OTEL_TRACES_SAMPLER=sometimes cannot be used: expected always_on/),
    expect.stringMatching(/^OTEL_EXPORTER_OTLP_HEADERS has a member that cannot be used/),
  ])
  expect(lines.join()).not.toContain('cret')
})
