import { afterEach, expect, test } from 'vitest'
import { startReceiver } from './otlp-receiver.ts'
import { type Service, startService, stopServices, until } from './service.ts'

afterEach(stopServices)

const sendingTo = (url: string, more: Record<string, string> = {}) => ({
  env: { OTEL_TRACES_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_ENDPOINT: url, ...more },
})

/** 2 s, and what a busy machine may add; without the bound it would be 10 s. */
const boundMs = 4_000

interface Telemetry {
  spans: { made: number; sent: number; dropped: number; waiting: number; down: boolean; droppedFor: object }
}

async function telemetry(service: Service) {
  return ((await (await fetch(`${service.adminUrl}/telemetry`)).json()) as Telemetry).spans
}

/** From the signal to the end, in ms. */
async function timeToEnd(service: Service) {
  const from = performance.now()
  service.child.kill('SIGTERM')
  expect(await service.ended).toEqual([null, 'SIGTERM'])
  return performance.now() - from
}

test('a dead collector is one line, spans wait in a bounded queue, and every one is counted', async () => {
  const service = await startService(
    'edge.mjs',
    sendingTo('http://127.0.0.1:1', { OTEL_BSP_MAX_QUEUE_SIZE: '20', SHAKETABLE_OUTAGE_BUFFER: '0' }),
  )
  for (let at = 0; at < 50; at++) await fetch(`${service.url}/hello`)
  const spans = await until(async () => {
    const seen = await telemetry(service)
    return seen.down && seen.made === 50 && seen
  })
  expect(spans.waiting).toBeLessThanOrEqual(20)
  expect(spans.sent + spans.dropped + spans.waiting).toBe(spans.made)
  expect(service.stderr().match(/OTLP .* fails: /g)).toHaveLength(1)
  expect(await timeToEnd(service)).toBeLessThan(boundMs)
  expect(service.stderr()).toMatch(/OTLP .*: spans not sent before the process ended: 50\n/)
})

test('whatever a collector answers, every span is counted, and two lines tell of the whole trouble', async () => {
  const receiver = await startReceiver()
  receiver.answer = { status: 503, headers: { 'retry-after': '1' } }
  const service = await startService('edge.mjs', sendingTo(receiver.url))
  const settled = async (made: number) => {
    await fetch(`${service.url}/hello`)
    return until(async () => {
      const seen = await telemetry(service)
      return seen.made === made && seen.waiting === 0 && seen
    })
  }
  await fetch(`${service.url}/hello`)
  await until(async () => (await telemetry(service)).down)
  receiver.answer = 200
  expect(await settled(2)).toMatchObject({ sent: 2, dropped: 0, down: false })
  expect(receiver.spans).toHaveLength(2)
  const html = { status: 200, headers: { 'content-type': 'text/html' }, body: '<h1>It works!</h1>' }
  const partial = { status: 200, headers: { 'content-type': 'application/json' } }
  for (const [at, [answer, droppedFor]] of (
    [
      [400, { refused: 1 }],
      [html, { refused: 2 }],
      [{ ...partial, body: '{"partialSuccess":{"rejectedSpans":1,"errorMessage":"too\\nold"}}' }, { rejected: 1 }],
      [
        { ...partial, body: '{ garbage' },
        { rejected: 1, refused: 2, queue_full: 0 },
      ],
    ] as const
  ).entries()) {
    receiver.answer = answer
    expect(await settled(3 + at)).toMatchObject({ droppedFor })
  }
  const metrics = await (await fetch(`${service.adminUrl}/metrics`)).text()
  const value = (name: string) =>
    Number(new RegExp(`^shaketable_telemetry_spans_${name} (\\d+)$`, 'm').exec(metrics)?.[1])
  const dropped = ['refused', 'rejected', 'queue_full', 'closed'].map(why => value(`dropped_total{reason="${why}"}`))
  expect([value('made_total'), value('sent_total'), dropped]).toEqual([6, 3, [2, 1, 0, 0]])
  expect(service.stderr().match(/OTLP .*/g)).toEqual([
    expect.stringMatching(/ fails: it answered 503; spans are kept as long as there is room$/),
    expect.stringMatching(/ works again; 0 spans were dropped meanwhile$/),
  ])
  await receiver.close()
})

test('a collector that never answers delays no kind of end for more than 2 s', async () => {
  const ends = { SIGTERM: [null, 'SIGTERM'], crash: [1, null], finish: [0, null] }
  const receiver = await startReceiver()
  receiver.answer = 'hang'
  const endBy = async (way: keyof typeof ends) => {
    // One sending is already under way when the process comes to its natural end.
    const delay = way === 'finish' ? '0' : '60000'
    const service = await startService('edge.mjs', sendingTo(receiver.url, { OTEL_BSP_SCHEDULE_DELAY: delay }))
    await fetch(`${service.url}/hello`)
    if (way === 'finish') await until(() => receiver.requests.length > 0)
    const from = performance.now()
    if (way === 'SIGTERM') service.child.kill('SIGTERM')
    else await fetch(`${service.url}/${way}`)
    expect(await service.ended).toEqual(ends[way])
    expect(performance.now() - from).toBeLessThan(boundMs)
    const lost = way === 'SIGTERM' ? 1 : 2
    expect(service.stderr()).toMatch(new RegExp(`OTLP .*: spans not sent before the process ended: ${lost}\n`))
  }
  await Promise.all((Object.keys(ends) as (keyof typeof ends)[]).map(endBy))
  await receiver.close()
})
