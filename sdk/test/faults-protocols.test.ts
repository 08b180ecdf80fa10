import { once } from 'node:events'
import { Server as HttpServer, request as httpRequest } from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import { type AddressInfo, connect, createServer as createTcpServer, type Server, Socket } from 'node:net'
import { promisify } from 'node:util'
import * as grpc from '@grpc/grpc-js'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { enableFaults } from '../src/faults/enable.ts'
import type { ArmRequest, FaultEffect } from '../src/faults/wire.ts'
import { controlKey, runner } from './faults-app/start.ts'

const untouched = { emit: HttpServer.prototype.emit, fetch: globalThis.fetch, end: Socket.prototype.end }
let faults: ReturnType<typeof enableFaults>
let control: ReturnType<typeof runner>
const servers: Server[] = []

/** Of Node's own undici; a composed dispatcher of undici 6 (Node 22) no longer says its class. */
let Agent: new () => Dispatcher

beforeAll(async () => {
  new Headers()
  Agent = globals[slot()]!.constructor as typeof Agent
  const options = { host: '127.0.0.1', port: 0, key: controlKey, serviceName: 'test' }
  faults = enableFaults({ ...options, warn() {}, count() {} })
  control = runner(`http://127.0.0.1:${await faults.port}`)
})
afterEach(async () => {
  for (const { id } of await control.list()) await control.disarm(id)
})
afterAll(async () => {
  await faults.close()
  for (const server of servers) server.close()
  expect(HttpServer.prototype.emit).toBe(untouched.emit)
  expect(globalThis.fetch).toBe(untouched.fetch)
  expect(Object.hasOwn(https.Server.prototype, 'emit')).toBe(false)
  expect(Object.hasOwn(Socket.prototype, 'write')).toBe(false)
  expect(Socket.prototype.end).toBe(untouched.end)
})

async function listening<S extends Server>(server: S): Promise<number> {
  servers.push(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return (server.address() as AddressInfo).port
}

const arm = async (effect: FaultEffect, direction: 'inbound' | 'outbound', rest: Partial<ArmRequest['match']> = {}) => {
  const match = { direction, path: '/faulty', ...rest }
  const reply = await control.arm('f', { effect, match, percent: 100, scope: 'attempt', seed: 1, leaseMs: 60_000 })
  expect(reply.status).toBe(200)
}

test('a server of node:https meets faults', async () => {
  // A pre-shared key instead of certificates: nothing to generate.
  const psk = Buffer.from('00112233445566778899aabbccddeeff', 'hex')
  const tls = { ciphers: 'PSK', maxVersion: 'TLSv1.2' as const }
  const server = https.createServer({ ...tls, pskCallback: () => psk }, (_request, response) => response.end('real'))
  const port = await listening(server)
  const get = async () => {
    const client = { ...tls, pskCallback: () => ({ psk, identity: 'test' }), checkServerIdentity: () => undefined }
    const request = https.get({ port, path: '/faulty', ...client })
    const [response] = await once(request, 'response')
    response.resume()
    return response.statusCode
  }
  expect(await get()).toBe(200)
  await arm({ kind: 'error', status: 503 }, 'inbound')
  expect(await get()).toBe(503)
  await arm({ kind: 'reset' }, 'inbound')
  await expect(get()).rejects.toMatchObject({ code: 'ECONNRESET' })
  await arm({ kind: 'error', status: 502 }, 'outbound', { peers: [`localhost:${port}`] })
  expect(await get()).toBe(502)
})

test('a server of node:http2 meets faults, and a reset ends one stream of its connection', async () => {
  const port = await listening(http2.createServer((_request, response) => void response.end('real')))
  const session = http2.connect(`http://127.0.0.1:${port}`)
  const get = async (path: string) => {
    const stream = session.request({ ':path': path })
    stream.resume()
    const [headers] = await once(stream, 'response')
    return headers[':status']
  }
  try {
    await arm({ kind: 'error', status: 503 }, 'inbound')
    expect([await get('/faulty'), await get('/other')]).toEqual([503, 200])
    await arm({ kind: 'latency', delayMs: 20, jitterMs: 0 }, 'inbound')
    expect(await get('/faulty')).toBe(200)
    await arm({ kind: 'reset' }, 'inbound')
    await expect(get('/faulty')).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
    expect(await get('/other')).toBe(200)
  } finally {
    session.close()
  }
})

test('a gRPC call on a server of streams meets a delay, and a status of gRPC in the head that ends it', async () => {
  const server = http2.createServer()
  server.on('stream', stream => {
    stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
    stream.end('real')
  })
  const session = http2.connect(`http://127.0.0.1:${await listening(server)}`)
  const call = async () => {
    const stream = session.request({ ':method': 'POST', ':path': '/faulty', 'content-type': 'application/grpc+proto' })
    let head: Record<string, unknown> = {}
    stream.on('response', headers => {
      head = { ...head, ...headers }
    })
    stream.on('trailers', headers => {
      head = { ...head, ...headers }
    })
    stream.resume().end()
    await once(stream, 'close')
    return { status: head['grpc-status'], message: head['grpc-message'] }
  }
  try {
    expect(await call()).toEqual({ status: '0', message: undefined })
    await arm({ kind: 'error', grpcStatus: 14, grpcMessage: 'shop is closed' }, 'inbound')
    expect(await call()).toEqual({ status: '14', message: 'shop%20is%20closed' })
    await arm({ kind: 'latency', delayMs: 20, jitterMs: 0 }, 'inbound')
    expect(await call()).toMatchObject({ status: '0' })
    await arm({ kind: 'bandwidth', bytesPerSecond: 100 }, 'inbound')
    expect(await call()).toMatchObject({ status: '0' })
    await arm({ kind: 'reset' }, 'inbound')
    await expect(call()).rejects.toThrow('NGHTTP2_INTERNAL_ERROR')
  } finally {
    session.close()
  }
})

test('a client of node:http2 meets faults on one stream each, over a session that was open before', async () => {
  const server = http2.createServer()
  server.on('stream', (stream, headers) => {
    stream.respond({ ':status': 200, kind: headers.kind ?? 'none' }, { waitForTrailers: true })
    stream.on('wantTrailers', () => stream.sendTrailers({ sum: '7' }))
    stream.pipe(stream)
  })
  const port = await listening(server)
  const session = http2.connect(`http://localhost:${port}`)
  await once(session, 'remoteSettings')
  const ask = async (path: string, body = 'x'.repeat(100_000)) => {
    const stream = session.request({ ':method': 'POST', ':path': path, kind: 'own' })
    let trailers: unknown
    let text = ''
    stream.on('trailers', headers => {
      trailers = headers.sum
    })
    stream.setEncoding('utf8').on('data', chunk => {
      text += chunk
    })
    stream.end(body)
    try {
      const [headers] = await once(stream, 'response')
      await once(stream, 'close')
      return { status: headers[':status'], kind: headers.kind, bytes: text.length, trailers }
    } catch (error) {
      return { code: (error as { code?: string }).code, bytes: text.length }
    }
  }
  const real = { status: 200, kind: 'own', bytes: 100_000, trailers: '7' }
  const peers = { peers: [`127.0.0.1:${port}`], method: 'POST', headers: { kind: 'own' } }
  try {
    expect(await ask('/faulty')).toEqual(real)
    await arm({ kind: 'error', status: 503, body: 'no' }, 'outbound', peers)
    expect(await Promise.all([ask('/faulty'), ask('/other')])).toEqual([
      { status: 503, kind: undefined, bytes: 2, trailers: undefined },
      real,
    ])
    await arm({ kind: 'latency', delayMs: 30, jitterMs: 0 }, 'outbound', peers)
    expect(await Promise.all([ask('/faulty'), ask('/faulty', '')])).toEqual([real, { ...real, bytes: 0 }])
    await arm({ kind: 'bandwidth', bytesPerSecond: 2_000_000 }, 'outbound', peers)
    expect(await ask('/faulty')).toEqual(real)
    await arm({ kind: 'truncate', afterBytes: 1000 }, 'outbound', peers)
    expect(await ask('/faulty')).toEqual({ code: 'ECONNRESET', bytes: 1000 })
    await arm({ kind: 'reset' }, 'outbound', peers)
    expect(await ask('/faulty')).toEqual({ code: 'ECONNRESET', bytes: 0 })
    await arm({ kind: 'hang' }, 'outbound', peers)
    const hanging = ask('/faulty')
    await expect.poll(async () => (await control.list())[0]?.hit).toBe(1)
    await control.disarm('f')
    expect(await hanging).toEqual({ code: 'ECONNRESET', bytes: 0 })
    expect(await ask('/faulty')).toEqual(real)
  } finally {
    session.close()
  }
})

test('a call of grpc-js meets faults in its client, and its retries meet them anew', async () => {
  const service = { Get: { path: '/shop.Orders/Get', requestStream: false, responseStream: false, ...bytes } }
  const server = new grpc.Server()
  const calls: string[] = []
  server.addService(service, {
    Get(call: { request: Buffer }, done: (error: null, answer: Buffer) => void) {
      calls.push(String(call.request))
      done(null, Buffer.from('real'))
    },
  })
  const insecure = grpc.ServerCredentials.createInsecure()
  const port = await promisify(server.bindAsync.bind(server))('127.0.0.1:0', insecure)
  const retryPolicy = {
    maxAttempts: 5,
    initialBackoff: '0.01s',
    maxBackoff: '0.01s',
    backoffMultiplier: 1,
    retryableStatusCodes: ['UNAVAILABLE'],
  }
  const retrying = { 'grpc.service_config': JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] }) }
  const Client = grpc.makeClientConstructor(service, 'Orders')
  const clients = [{}, retrying].map(
    options => new Client(`localhost:${port}`, grpc.credentials.createInsecure(), options) as unknown as Orders,
  )
  const call = (retries: boolean, deadlineMs = 60_000) =>
    new Promise<string>(resolve => {
      const options = { deadline: Date.now() + deadlineMs }
      clients[Number(retries)]!.Get(Buffer.from('7'), options, (error, answer) =>
        resolve(error ? `${grpc.status[error.code]} ${error.details}` : String(answer)),
      )
    })
  const match = { peers: [`127.0.0.1:${port}`], path: '/shop.Orders/Get' }
  try {
    await arm({ kind: 'error', grpcStatus: 14, grpcMessage: 'shop is closed' }, 'outbound', match)
    expect(await call(false)).toBe('UNAVAILABLE shop is closed')
    expect(await call(true)).toBe('UNAVAILABLE shop is closed')
    expect(await control.list()).toMatchObject([{ seen: 6, hit: 6 }])
    await arm({ kind: 'error', status: 503, body: '' }, 'outbound', match)
    expect(await call(false)).toMatch('UNAVAILABLE')
    await arm({ kind: 'reset' }, 'outbound', match)
    expect(await call(false)).toMatch(/^UNAVAILABLE .*read ECONNRESET$/)
    expect(calls).toEqual([])
    await arm({ kind: 'latency', delayMs: 40, jitterMs: 0 }, 'outbound', match)
    expect(await call(false)).toBe('real')
    expect(calls).toEqual(['7'])
    await arm({ kind: 'truncate', afterBytes: 2 }, 'outbound', match)
    expect(await call(false)).toMatch(/^UNAVAILABLE .*read ECONNRESET$/)
    await arm({ kind: 'hang' }, 'outbound', match)
    expect(await call(false, 50)).toMatch('DEADLINE_EXCEEDED')
    await control.disarm('f')
    expect(await call(false)).toBe('real')
  } finally {
    for (const client of clients) client.close()
    server.forceShutdown()
  }
})

interface Orders {
  Get(
    order: Buffer,
    options: object,
    done: (error: { code: number; details: string } | null, answer?: Buffer) => void,
  ): void
  close(): void
}
const same = (value: Buffer) => value
const bytes = { requestSerialize: same, requestDeserialize: same, responseSerialize: same, responseDeserialize: same }

test('what is written to a dependency of any protocol is delayed in its order, lost, or reset, over open connections', async () => {
  const port = await listening(createTcpServer(socket => socket.on('error', () => {}).pipe(socket)))
  const open = async () => {
    const socket = connect(port, '127.0.0.1')
    await once(socket, 'connect')
    return socket
  }
  const match: ArmRequest['match'] = { direction: 'tcp', peers: [`localhost:${port}`] }
  const put = async (effect: FaultEffect, percent = 100) =>
    expect(
      await control.arm('f', { effect, match, percent, scope: 'attempt', seed: 1, leaseMs: 60_000 }),
    ).toMatchObject({
      status: 200,
    })
  const status = async () => (await control.list())[0]
  const heard = async (socket: Socket, length: number) => {
    let text = ''
    while (text.length < length) text += (await once(socket, 'data'))[0]
    return text
  }

  const pooled = await open()
  await put({ kind: 'latency', delayMs: 60, jitterMs: 50 })
  const began = performance.now()
  const letters = 'abcdefghij'
  const echo = heard(pooled, letters.length)
  for (const letter of letters) {
    pooled.write(letter)
    if (letter === 'e') await new Promise(setImmediate)
  }
  expect(await echo).toBe(letters)
  expect(performance.now() - began).toBeGreaterThan(8)
  // What is written in one turn of the event loop is one request.
  expect(await status()).toMatchObject({ seen: 2, hit: 2 })

  pooled.write('last words')
  pooled.end()
  expect(await heard(pooled, 10)).toBe('last words')
  await once(pooled, 'close')

  const lost = await open()
  await put({ kind: 'hang' })
  lost.write('x')
  await expect.poll(async () => (await status())?.hit).toBe(1)
  const end = once(lost, 'data').catch(error => error.code)
  await control.disarm('f')
  expect(await end).toBe('ECONNRESET')

  const cut = await open()
  await put({ kind: 'reset' })
  cut.write('x')
  await expect(once(cut, 'data')).rejects.toMatchObject({ code: 'ECONNRESET' })

  const spared = await open()
  await put({ kind: 'latency', delayMs: 60_000, jitterMs: 0 }, 0)
  spared.write('y')
  expect(await heard(spared, 1)).toBe('y')
  await put({ kind: 'latency', delayMs: 60_000, jitterMs: 0 })
  spared.write('z')
  const late = heard(spared, 1)
  await expect.poll(async () => (await status())?.hit).toBe(1)
  await control.disarm('f')
  expect(await late).toBe('z')
  spared.destroy()

  const answer = { kind: 'error', status: 503 } as const
  const refused = await control.arm('f', {
    effect: answer,
    match,
    percent: 1,
    scope: 'attempt',
    seed: 1,
    leaseMs: 1000,
  })
  expect(refused.body.error).toBe('match.direction: expected one of inbound, outbound, saw "tcp"')
})

interface Dispatcher {
  close(): Promise<void>
}
const globals = globalThis as unknown as Record<symbol, Dispatcher>
/** From Node 26 on the first is only a wrapper. */
const slot = () => [2, 1].map(at => Symbol.for(`undici.globalDispatcher.${at}`)).find(at => at in globals)!

test('a dispatcher that a call of fetch brings, and one that the app has set later, meet faults', async () => {
  const port = await listening(new HttpServer((_request, response) => void response.end('real')))
  const own = new Agent()
  const before = globals[slot()]!
  try {
    await arm({ kind: 'error', status: 418 }, 'outbound')
    const init = { dispatcher: own } as unknown as RequestInit
    expect((await fetch(`http://127.0.0.1:${port}/faulty`, init)).status).toBe(418)
    expect((await fetch(`http://127.0.0.1:${port}/other`, init)).status).toBe(200)
    globals[slot()] = own
    await arm({ kind: 'error', status: 409 }, 'outbound')
    expect((await fetch(`http://127.0.0.1:${port}/faulty`)).status).toBe(409)
  } finally {
    globals[slot()] = before
    await own.close()
  }
})

test('HEAD meets a delay and an error without a body, by fetch and by node:http', async () => {
  const port = await listening(new HttpServer((_request, response) => void response.end('real')))
  const url = `http://127.0.0.1:${port}/faulty`
  const byNode = async () => {
    const [response] = await once(httpRequest(url, { method: 'HEAD' }).end(), 'response')
    await once(response.resume(), 'end')
    return response.statusCode
  }
  const byFetch = async () => (await fetch(url, { method: 'HEAD' })).status
  await arm({ kind: 'latency', delayMs: 20, jitterMs: 0 }, 'outbound')
  expect([await byFetch(), await byNode()]).toEqual([200, 200])
  await arm({ kind: 'error', status: 503 }, 'outbound')
  expect([await byFetch(), await byNode()]).toEqual([503, 503])
})

test('a request of node:http that is destroyed while it is delayed tells its caller at once', async () => {
  const port = await listening(new HttpServer((_request, response) => void response.end('real')))
  await arm({ kind: 'latency', delayMs: 60_000, jitterMs: 0 }, 'outbound')
  const abort = new AbortController()
  const request = httpRequest(`http://127.0.0.1:${port}/faulty`, { signal: abort.signal }).end()
  const failed = once(request, 'response')
  abort.abort()
  await expect(failed).rejects.toMatchObject({ code: 'ABORT_ERR' })
})
