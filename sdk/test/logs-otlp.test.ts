import { afterEach, expect, test } from 'vitest'
import { startGrpcReceiver } from './grpc-receiver.ts'
import type { ReceivedLog } from './otlp-logs.ts'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

afterEach(stopServices)

async function askOnce(url: string, protocol: string) {
  const env = {
    OTEL_TRACES_EXPORTER: 'otlp',
    OTEL_LOGS_EXPORTER: 'otlp',
    OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_BLRP_SCHEDULE_DELAY: '20',
  }
  const service = await startService('loggers.mjs', { env })
  await fetch(`${service.url}/cards/4111111111111111`)
  return service
}

const receivers = {
  'http/protobuf': startReceiver,
  'http/json': startReceiver,
  grpc: startGrpcReceiver,
}

test.each(Object.entries(receivers))(
  'over %s arrives what pino, winston, console, the access log and the API log, each with its trace',
  async (protocol, start) => {
    const receiver = await start()
    try {
      const service = await askOnce(receiver.url, protocol)
      const sought = [
        ['pino', 'by pino'],
        ['winston', 'by winston'],
        ['winston', 'pay token=REDACTED'],
        ['winston', 'plain of password=REDACTED'],
        ['console', "by console 7 { password: 'REDACTED' }"],
        ['console', 'json by console'],
        ['http', 'request completed'],
        ['shop.audit', 'by the API'],
      ]
      const found = (record: ReceivedLog) =>
        sought.some(([scope, body]) => record.scope === scope && record.body === body)
      const records = await until(() => {
        const ours = receiver.logs.filter(found)
        return ours.length === sought.length && ours
      })
      const server = await until(() => receiver.spans.find(({ kind }) => kind === 2))
      for (const record of records) {
        expect(record).toMatchObject({ traceId: server.traceId, spanId: server.spanId, flags: 1 })
        expect(record.resource['service.name']).toBe('tested')
        expect(Math.abs(Number(record.nano / 1_000_000n) - Date.now())).toBeLessThan(60_000)
      }
      const by = (body: string) => records.find(record => record.body === body)!
      expect(by('by pino')).toMatchObject({
        severityNumber: 9,
        severityText: 'info',
        attributes: { part: 'a', headers: { authorization: 'REDACTED', 'set-cookie': 'REDACTED' }, card: 'REDACTED' },
      })
      expect(by('by winston')).toMatchObject({ severityNumber: 13, severityText: 'warn' })
      expect(by('pay token=REDACTED').attributes['exception.stacktrace']).toMatch(/^Error: pay token=REDACTED\n/)
      expect(by('request completed').attributes).toMatchObject({ 'http.response.status_code': 200 })
      expect(by('by the API')).toMatchObject({
        severityNumber: 17,
        eventName: 'shop.paid',
        attributes: { list: ['a', { b: 1 }], apiKey: 'REDACTED' },
      })
      // What has arrived counts as sent when its answer is back.
      const logs = await until(async () => {
        const telemetry = (await (await fetch(`${service.adminUrl}/telemetry`)).json()) as { logs: { sent: number } }
        return telemetry.logs.sent >= sought.length && telemetry.logs
      })
      expect(logs).toMatchObject({ dropped: 0, down: false })
    } finally {
      await receiver.close()
    }
  },
)

test('what is logged last arrives before the process ends', async () => {
  const receiver = await startReceiver()
  const service = await askOnce(receiver.url, 'http/protobuf')
  service.child.kill()
  await service.ended
  await until(() => receiver.logs.find(record => record.body === 'request completed'))
  await receiver.close()
})
