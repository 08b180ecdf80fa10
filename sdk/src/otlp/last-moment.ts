import { Worker } from 'node:worker_threads'
import type { OtlpTls } from './options.ts'

/** One whole export request, ready to be written. */
export interface LastMessage {
  transport: 'http' | 'grpc'
  url: string
  headers: Record<string, string>
  body: Buffer
  tls: OtlpTls | undefined
}

/** Runs in a fresh thread, so that nothing of the app runs while it sends. */
const sender = `
const { workerData: { transport, url, headers, body, tls, signal } } = require('node:worker_threads')
const secrets = Object.fromEntries(Object.entries(tls ?? {}).map(([name, pem]) => [name, pem && Buffer.from(pem)]))
const done = accepted => { Atomics.store(signal, 0, accepted ? 1 : 2); Atomics.notify(signal, 0) }
if (transport === 'grpc') {
  const { origin, pathname } = new URL(url)
  const session = require('node:http2').connect(origin, secrets).on('error', () => done(false))
  const call = session.request({ ...headers, ':method': 'POST', ':path': pathname })
  let status
  const look = head => { status = head['grpc-status'] ?? status }
  call.on('response', look).on('trailers', look).on('error', () => done(false))
  call.on('close', () => done(status === '0')).resume().end(body)
} else {
  const { request } = require(url.startsWith('https:') ? 'node:https' : 'node:http')
  request(url, { method: 'POST', headers, ...secrets }, response => {
    response.resume()
    response.on('end', () => done(response.statusCode >= 200 && response.statusCode < 300))
  }).on('error', () => done(false)).end(body)
}
`

/**
 * Posts one last batch while the process is going down, and blocks until it is out or `deadlineMs` is over. Returns
 * whether it was accepted.
 */
export function sendBlocking(message: LastMessage, deadlineMs: number): boolean {
  const signal = new Int32Array(new SharedArrayBuffer(4))
  try {
    const worker = new Worker(sender, { eval: true, execArgv: [], env: {}, workerData: { ...message, signal } })
    worker.on('error', () => {})
    worker.unref()
    Atomics.wait(signal, 0, 0, deadlineMs)
    return signal[0] === 1
  } catch {
    return false
  }
}
