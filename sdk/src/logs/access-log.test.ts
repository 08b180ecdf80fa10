import { expect, test } from 'vitest'
import { AccessLog } from './access-log.ts'

const answer = { method: 'GET', route: '/:x', status: 404, errorType: undefined }
const line = {
  path: '/a"b',
  endMs: 1_700_000_000_007.9,
  durationMs: 1.23456,
  faultId: 'slow-1',
  span: { traceId: 't', spanId: 's', traceFlags: 1 },
}

test('a line is JSON in the shape of pino, with the fault that hit the request', () => {
  let out = ''
  const log = new AccessLog('orders', undefined, bytes => {
    out += bytes
    return bytes.length
  })
  log.add(log.partsOf(answer), line)
  log.flush()
  expect(JSON.parse(out)).toMatchObject({
    level: 40,
    time: 1_700_000_000_007,
    pid: process.pid,
    'service.name': 'orders',
    trace_id: 't',
    span_id: 's',
    trace_flags: '01',
    'url.path': '/a"b',
    'http.route': '/:x',
    'http.response.status_code': 404,
    'shaketable.fault.id': 'slow-1',
    duration_ms: 1.235,
    msg: 'request completed',
  })
})

test('a pipe that is full or takes only a part loses nothing', () => {
  let out = ''
  let turn = 0
  const log = new AccessLog('orders', undefined, bytes => {
    if (turn++ % 2 === 0) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
    const part = bytes.subarray(0, 400)
    out += part
    return part.length
  })
  for (let at = 0; at < 3; at++) log.add(log.partsOf(answer), line)
  log.flushAtExit()
  expect(
    out
      .trimEnd()
      .split('\n')
      .map(text => JSON.parse(text).level),
  ).toEqual([40, 40, 40])
})

test('a stdout that nobody reads costs neither an error nor memory, and the lines count as dropped', () => {
  const log = new AccessLog('orders', undefined, () => {
    throw Object.assign(new Error('gone'), { code: 'EPIPE' })
  })
  for (let at = 0; at < 10_000; at++) log.add(log.partsOf(answer), line)
  log.flush()
  expect(log.dropped).toBe(10_000)
})

test('a line of any length is written whole and in its turn', () => {
  let out = ''
  let full = true
  const log = new AccessLog('orders', undefined, bytes => {
    if (full) throw Object.assign(new Error('full'), { code: 'EAGAIN' })
    out += bytes
    return bytes.length
  })
  const paths = [1, 5_000, 20_000, 3, 16_000, 40_000, 2].map(length => `/${'€'.repeat(length)}`)
  for (const path of paths) log.add(log.partsOf(answer), { ...line, path })
  full = false
  log.flushAtExit()
  const written = out.trimEnd().split('\n')
  expect(written.map(text => JSON.parse(text)['url.path'])).toEqual(paths)
})
