import http2, { type ClientHttp2Session } from 'node:http2'
import { Duplex } from 'node:stream'
import { propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api'
import { type GivenHeaders, headerOf, meetSessions } from '../http/http2-sessions.ts'
import { hostAndPort } from '../http/method.ts'
import type { OpenCall, OpenCalls } from '../instrumentations/open-calls.ts'
import { Detour } from './detour.ts'
import { pathOf } from './matching.ts'
import { decide, isOwnTraffic, type Striking } from './strike.ts'

type Request = ClientHttp2Session['request']

/**
 * Puts the faults between a request of node:http2, and so a call of grpc-js, and its session: what is struck goes by a detour.
 * Sessions that were open before the fault was armed meet it too.
 */
export function interceptHttp2(striking: Striking, calls: OpenCalls | undefined): () => void {
  const origins = new WeakMap<ClientHttp2Session, string>()
  const detours = new WeakMap<ClientHttp2Session, Detour>()
  const prototype = prototypeOfSessions()
  const original = prototype.request as Request
  const wrapped: Request = function (this: ClientHttp2Session, given, options) {
    const go = () => original.call(this, given, options)
    if (striking.armed.outbound.length === 0 || this.closed || this.destroyed || isOwnTraffic()) return go()
    const headers = (given ?? {}) as GivenHeaders
    const header = (name: string) => headerOf(headers, name)
    const method = header(':method') ?? 'GET'
    if (method === 'CONNECT') return go()
    const [scheme, host = ''] = (origins.get(this) ?? 'http://').split('://') as [string, string?]
    const target = hostAndPort(header(':authority') ?? host, scheme)
    const peer = `${target.host}:${target.port}`
    const path = pathOf(header(':path') ?? '/')
    const strike = decide(striking, 'outbound', { method, path, peer, header }, calls && callOf(headers, calls))
    if (strike === undefined) return go()
    let detour = detours.get(this)
    if (detour === undefined) {
      detour = new Detour(this, original, striking)
      detours.set(this, detour)
    }
    return detour.request(given, options, strike)
  }
  prototype.request = wrapped
  const forget = meetSessions(http2, (session, origin) => origins.set(session, origin))
  return () => {
    forget()
    if (prototype.request === wrapped) prototype.request = original
  }
}

/** Node does not export the class. */
function prototypeOfSessions(): ClientHttp2Session {
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, written) => written() })
  const session = http2.connect('http://localhost', { createConnection: () => nowhere })
  session.on('error', () => {}).destroy()
  return Object.getPrototypeOf(session)
}

function callOf(headers: GivenHeaders, calls: OpenCalls): OpenCall | undefined {
  const sent = trace.getSpanContext(propagation.extract(ROOT_CONTEXT, headers))
  return sent && calls.of(sent.spanId)
}
