import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { certify } from '../../.ci/tools/certificates.ts'
import { startGrpcReceiver } from './grpc-receiver.ts'
import { startReceiver } from './otlp-receiver.ts'
import { startService, stopServices, until } from './service.ts'

const authority = certify('the authority of the test')
const collector = { ...certify('collector', authority), ca: authority.cert }
const client = certify('orders', authority)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'shaketable-tls-'))
  writeFileSync(join(folder, 'ca.pem'), authority.cert)
  writeFileSync(join(folder, 'client.key'), client.key)
  writeFileSync(join(folder, 'client.pem'), client.cert)
})
afterEach(stopServices)
afterAll(() => rmSync(folder, { recursive: true }))

const pem = (name: string) => join(folder, name)

describe.each(['http/protobuf', 'http/json', 'grpc'])('over %s', protocol => {
  // What a crash may wait, 2 s, can be too little for a machine that is busy with something else.
  test('the collector is trusted by our authority, asks for our certificate, and gets the last spans of a crash too', {
    retry: 3,
  }, async () => {
    const tls = { key: collector.key, cert: collector.cert, ca: collector.ca }
    const receiver = protocol === 'grpc' ? await startGrpcReceiver(tls) : await startReceiver({ tls })
    const service = await startService('edge.mjs', {
      env: {
        OTEL_TRACES_EXPORTER: 'otlp',
        OTEL_EXPORTER_OTLP_PROTOCOL: protocol,
        // Without a scheme gRPC takes TLS for granted.
        OTEL_EXPORTER_OTLP_ENDPOINT: protocol === 'grpc' ? receiver.url.replace('https://', '') : receiver.url,
        OTEL_EXPORTER_OTLP_CERTIFICATE: pem('ca.pem'),
        OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY: pem('client.key'),
        OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE: pem('client.pem'),
        OTEL_BSP_MAX_EXPORT_BATCH_SIZE: '1',
        OTEL_BSP_SCHEDULE_DELAY: '60000',
      },
    })
    await fetch(`${service.url}/hello`)
    await until(() => receiver.spans.length === 1)
    await fetch(`${service.url}/crash`)
    expect(await service.ended).toEqual([1, null])
    expect(receiver.spans.map(span => span.attributes['url.path'])).toEqual(['/hello', '/crash'])
    await receiver.close()
  })
})

test('a collector that nobody vouches for gets nothing, and the line says why', async () => {
  const receiver = await startReceiver({ tls: { key: collector.key, cert: collector.cert, ca: collector.ca } })
  const service = await startService('edge.mjs', {
    env: {
      OTEL_TRACES_EXPORTER: 'otlp',
      OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
      OTEL_EXPORTER_OTLP_CLIENT_KEY: pem('client.key'),
    },
  })
  await fetch(`${service.url}/hello`)
  await until(() => / fails: .*certificate/.test(service.stderr()))
  expect(service.stderr()).toContain('CLIENT_KEY and OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE need each other')
  expect(receiver.spans).toEqual([])
  await receiver.close()
})
