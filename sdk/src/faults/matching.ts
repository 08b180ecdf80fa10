import type { FaultMatch } from './wire.ts'

/** What a fault sees of a request before it chooses. */
export interface Subject {
  method: string
  /** Without the query. */
  path: string
  /** The value of a header, by its name in small letters. */
  header?: ((name: string) => string | undefined) | undefined
  /** Outbound: `host:port` of the dependency. */
  peer?: string
  /** The tag that the request bears, signed and in time. */
  tag?: (() => string | undefined) | undefined
  /** Inbound: the calling service, as far as it says. */
  from?: string | undefined
}

/** Compiles a `FaultMatch` once, when the fault is armed. */
export function matcher(match: FaultMatch): (subject: Subject) => boolean {
  const path = match.path === undefined ? undefined : pathMatcher(match.path)
  const peers = match.peers === undefined ? undefined : new Set(match.peers.map(normalPeer))
  const headers = Object.entries(match.headers ?? {})
  return subject =>
    (match.method === undefined || match.method === subject.method) &&
    (path === undefined || path(subject.path)) &&
    (peers === undefined || (subject.peer !== undefined && peers.has(normalPeer(subject.peer)))) &&
    (match.from === undefined || match.from === subject.from) &&
    (match.tag === undefined || match.tag === subject.tag?.()) &&
    headers.every(([name, value]) => subject.header?.(name) === value)
}

/** `/a/b` exactly, `/a/:id` a template whose parameters take one segment each, `/a/*` everything under `/a/`. */
export function pathMatcher(pattern: string): (path: string) => boolean {
  const open = pattern.endsWith('/*')
  const wanted = (open ? pattern.slice(0, -2) : pattern).split('/')
  return path => {
    const given = path.split('/')
    if (open ? given.length <= wanted.length : given.length !== wanted.length) return false
    return wanted.every((segment, i) => (isParameter(segment) ? given[i] !== '' : segment === given[i]))
  }
}

const isParameter = (segment: string) => segment.length > 1 && segment.startsWith(':')

/** Names differ in case and loopback has several names; a dependency on this machine is its port. */
export function normalPeer(peer: string): string {
  return peer.toLowerCase().replace(/^(127\.\d+\.\d+\.\d+|\[::1\]|::1)(?=:\d+$)/, 'localhost')
}

/** The path of a request target: origin form (`/a?b`), absolute form (`http://host/a`) or `*`. */
export function pathOf(target: string): string {
  const origin = target.startsWith('/') ? target : target.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '')
  const end = origin.search(/[?#]/)
  return (end === -1 ? origin : origin.slice(0, end)) || '/'
}
