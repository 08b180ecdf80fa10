import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Receiver, startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

let receiver: Receiver
let usual: Service
let ecs: Service

async function ask(service: Service) {
  await fetch(`${service.url}/cards/4111111111111111?api_key=t0p-secret&page=2`)
  await until(() => service.lines().some(line => /request completed/.test(String(line.msg ?? line.message))))
}

beforeAll(async () => {
  receiver = await startReceiver()
  const env = { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url }
  ;[usual, ecs] = await Promise.all([
    startService('loggers.mjs', { env }),
    startService('loggers.mjs', {
      env: { SHAKETABLE_LOG_FORMAT: 'ecs', SHAKETABLE_CONSOLE_IDS: 'off', SHAKETABLE_REDACT: 'none' },
    }),
  ])
  await Promise.all([ask(usual), ask(ecs)])
})

afterAll(async () => {
  await stopServices()
  await receiver.close()
})

describe('whoever logs', () => {
  test('the line carries the ids of its trace', async () => {
    const [server] = await until(() => receiver.spans.length >= 2 && receiver.spans.filter(({ kind }) => kind === 2))
    const ids = { trace_id: server!.traceId, span_id: server!.spanId, trace_flags: '01' }
    const lines = usual.lines()
    const texts = lines.map(line => String(line.msg ?? line.message))
    // Each logger has a buffer of its own before stdout.
    expect(texts.sort()).toEqual([
      'by pino',
      'by winston',
      'json by console',
      'pay token=REDACTED',
      'request completed',
    ])
    for (const line of lines) expect(line).toMatchObject(ids)
    const out = usual.stdout() + usual.stderr()
    expect(out).toContain(`info plain of password=REDACTED ${ids.trace_id}\n`)
    expect(out).toContain(`by console 7 { password: 'REDACTED' } trace_id=${ids.trace_id} span_id=${ids.span_id}\n`)
    expect(out).toMatch(new RegExp(`Error: by console of REDACTED\\n[^]* trace_id=${ids.trace_id} span_id`))
    expect(out).toContain('\n\n')
  })

  test('no secret leaves the process: not in a line, not in a span, not in a URL', async () => {
    const spans = await until(() => receiver.spans.length >= 2 && receiver.spans)
    const told = usual.stdout() + usual.stderr() + inspect(spans, { depth: 5 })
    for (const secret of ['t0p-secret', 'dDBwLXNlY3JldA', '4111 1111', '41111111']) expect(told).not.toContain(secret)
    const server = spans.find(({ kind }) => kind === 2)!
    expect(server.attributes).toMatchObject({
      'url.path': '/cards/REDACTED',
      'url.query': 'api_key=REDACTED&page=2',
      'user.password': 'REDACTED',
    })
    expect(server.events[0]).toEqual({ name: 'paid', attributes: { note: 'with REDACTED' } })
    expect(server.events[1]!.attributes['exception.message']).toBe('Basic REDACTED')
    expect(spans.find(({ kind }) => kind === 3)!.attributes['url.full']).toBe('http://127.0.0.1:1/pay?token=REDACTED')
  })
})

test('SHAKETABLE_LOG_FORMAT=ecs: pino, winston and the access log in Elastic Common Schema', () => {
  const lines = ecs.lines().filter(line => line['ecs.version'])
  expect(lines.map(line => `${line['log.level']}: ${line.message}`).sort()).toEqual([
    'error: pay token=t0p-secret',
    'info: by pino',
    'info: request completed',
    'warn: by winston',
  ])
  for (const line of lines)
    expect(line).toMatchObject({
      '@timestamp': expect.stringMatching(/^\d{4}-.*Z$/),
      'service.name': 'tested',
      'trace.id': lines[0]!['trace.id'],
      'span.id': expect.stringMatching(/^[0-9a-f]{16}$/),
    })
  expect(lines.find(line => line.message === 'request completed')).toMatchObject({
    'http.request.method': 'GET',
    'http.response.status_code': 200,
    'event.duration': expect.any(Number),
  })
})

test('SHAKETABLE_CONSOLE_IDS=off and SHAKETABLE_REDACT=none leave what is logged as it is', () => {
  expect(ecs.stdout()).toContain("by console 7 { password: 't0p-secret' }\n")
  expect(ecs.lines()).toContainEqual({ msg: 'json by console', apiKey: 't0p-secret' })
})
