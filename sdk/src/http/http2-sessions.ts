import { syncBuiltinESMExports } from 'node:module'
import { promisify } from 'node:util'

type Http2 = typeof import('node:http2')
type Session = import('node:http2').ClientHttp2Session

/** Calls `meet` with each session of HTTP/2 that the process opens, and with the origin it leads to; the answer ends that. */
export function meetSessions(http2: Http2, meet: (session: Session, origin: string) => void): () => void {
  const { connect } = http2
  const meeting = (session: Session, authority: Parameters<Http2['connect']>[0], options: unknown): Session => {
    meet(session, originOf(authority, options))
    return session
  }
  const met = function (this: unknown, ...args: Parameters<Http2['connect']>) {
    return meeting(connect.apply(this, args), args[0], args[1])
  }
  const later = (connect as unknown as Record<symbol, (...args: unknown[]) => Promise<Session>>)[promisify.custom]
  if (later) {
    const settled = async (...args: Parameters<Http2['connect']>) => meeting(await later(...args), args[0], args[1])
    Object.defineProperty(met, promisify.custom, { value: settled })
  }
  http2.connect = met as Http2['connect']
  syncBuiltinESMExports()
  return () => {
    if (http2.connect !== met) return
    http2.connect = connect
    syncBuiltinESMExports()
  }
}

/** As `http2.connect` reads what it is given. */
function originOf(authority: Parameters<Http2['connect']>[0], options: unknown): string {
  const url = typeof authority === 'string' ? new URL(authority) : (authority as Partial<URL>)
  const protocol = url.protocol || (options as { protocol?: string } | undefined)?.protocol || 'https:'
  const host = url.hostname || url.host || 'localhost'
  const usual = protocol === 'http:' ? '80' : '443'
  return url.port && String(url.port) !== usual ? `${protocol}//${host}:${url.port}` : `${protocol}//${host}`
}

/** What a request's headers are given as: an object, or names and values by turns. */
export type GivenHeaders = Record<string, unknown> | unknown[]

export function headerOf(headers: GivenHeaders, name: string): string | undefined {
  if (!Array.isArray(headers)) return headers[name] === undefined ? undefined : String(headers[name])
  const at = headers.findIndex((one, index) => index % 2 === 0 && String(one).toLowerCase() === name)
  return at < 0 ? undefined : String(headers[at + 1])
}
