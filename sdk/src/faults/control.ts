import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { parseArmRequest, parseLeaseRequest } from './arm-request.ts'
import type { ArmedFaults } from './armed.ts'
import { FieldError } from './fields.ts'
import { ownServer } from './own-server.ts'
import { type Call, callCheck } from './signed-call.ts'
import { faultIdPattern } from './wire.ts'

export interface ControlOptions {
  host: string
  port: number
  key: string
  /** Files in PEM form: with them the listener speaks TLS. */
  tls?: { certificate: string; privateKey: string } | undefined
  warn(line: string): void
  /** Called before a fault is armed. */
  arming(): void
}

interface Reply {
  status: number
  body: unknown
}

const bodyLimitBytes = 64 * 1024

/** Serves the fault-control protocol of `wire.ts`. `port` is `undefined` where nothing could listen. */
export function serveControl(
  armed: ArmedFaults,
  options: ControlOptions,
): { port: Promise<number | undefined>; close(): Promise<void> } {
  const refusal = callCheck(options.key)
  let refusedBefore = false

  const listener: http.RequestListener = (request, response) => {
    const reply = ({ status, body }: Reply) => {
      // The reply closes the connection where a body was left unread.
      const close = status === 401 || status === 413
      response.writeHead(status, { 'content-type': 'application/json', ...(close && { connection: 'close' }) })
      response.end(JSON.stringify(body))
    }
    const answered = async (): Promise<Reply> => {
      const body = await readBody(request)
      if (body === undefined) return tooLarge
      const call = { method: request.method ?? '', path: request.url ?? '', body }
      const error = refusal(request.headers.authorization, call)
      if (error === undefined) return answer(armed, options, call)
      if (!refusedBefore) options.warn(`fault control: refused a call from ${request.socket.remoteAddress}: ${error}`)
      refusedBefore = true
      return { status: 401, body: { error } }
    }
    answered().then(reply, (error: unknown) => {
      reply(
        error instanceof FieldError
          ? { status: 400, body: { error: error.message } }
          : { status: 500, body: { error: String(error) } },
      )
    })
  }
  const limits = { requestTimeout: 5_000, headersTimeout: 5_000, connectionsCheckingInterval: 5_000 }
  const { tls } = options
  const server = tls
    ? https.createServer(
        { ...limits, cert: readFileSync(tls.certificate), key: readFileSync(tls.privateKey) },
        listener,
      )
    : http.createServer(limits, listener)
  Object.assign(server, { [ownServer]: true })
  server.on('connection', socket => socket.unref())
  server.unref()

  const port = new Promise<number | undefined>(resolve => {
    server.once('listening', () => {
      const { port } = server.address() as AddressInfo
      if (options.port === 0) options.warn(`fault control is on ${tls ? 'https' : 'http'}://${options.host}:${port}`)
      resolve(port)
    })
    server.on('error', error => {
      options.warn(`fault control: cannot listen on ${options.host}:${options.port}: ${error.message}; faults are off`)
      resolve(undefined)
    })
  })
  // A worker of a cluster is armed by itself.
  server.listen({ host: options.host, port: options.port, exclusive: true })
  return {
    port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function answer(armed: ArmedFaults, options: ControlOptions, { method, path: target, body }: Call): Reply {
  const path = target.split('?', 1)[0]!
  const call = `${method} ${path.replace(/^\/faults\/.*/, '/faults/{id}')}`
  const id = path.slice('/faults/'.length)
  if (call.endsWith('/faults/{id}') && !faultIdPattern.test(id))
    return { status: 400, body: { error: 'id: expected [A-Za-z0-9._-], 1 to 64 characters' } }

  switch (call) {
    case 'GET /faults':
      return { status: 200, body: { faults: armed.list() } }
    case 'PUT /faults/{id}': {
      const arm = parseArmRequest(parseJson(body))
      options.arming()
      return { status: 200, body: armed.arm(id, arm) }
    }
    case 'DELETE /faults/{id}': {
      const last = armed.disarm(id)
      return last === undefined ? notArmed([id]) : { status: 200, body: last }
    }
    case 'POST /lease': {
      const { ids, leaseMs } = parseLeaseRequest(parseJson(body))
      const { missing } = armed.renew(ids, leaseMs)
      return missing.length > 0 ? notArmed(missing) : { status: 200, body: { faults: armed.list() } }
    }
    default:
      return { status: 404, body: { error: `${method} ${path.slice(0, 80)}: no such call` } }
  }
}

const tooLarge: Reply = { status: 413, body: { error: `body: expected at most ${bodyLimitBytes} bytes` } }

const notArmed = (ids: string[]): Reply => ({ status: 404, body: { error: `not armed: ${ids.join(', ')}` } })

/** `undefined` where the body is over the limit. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > bodyLimitBytes) return undefined
  const chunks: Buffer[] = []
  let bytes = 0
  return new Promise((resolve, reject) => {
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > bodyLimitBytes) {
        request.pause()
        resolve(undefined)
      } else chunks.push(chunk)
    })
    request.once('end', () => resolve(Buffer.concat(chunks).toString('utf8')))
    request.once('error', reject)
  })
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    throw new FieldError(`body: expected JSON, saw ${text === '' ? 'nothing' : 'something else'}`)
  }
}
