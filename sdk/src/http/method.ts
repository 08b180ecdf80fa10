const known = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'])

/** `http.request.method`: a method that HTTP does not define is `_OTHER`, so that nobody can blow up a label. */
export function methodOf(raw: string | undefined): string {
  if (raw !== undefined && known.has(raw)) return raw
  const method = (raw ?? 'GET').toUpperCase()
  return known.has(method) ? method : '_OTHER'
}

/** Splits `host:port`, IPv6 in brackets too. */
export function hostAndPort(authority: string, scheme: string): { host: string; port: number } {
  const at = authority.lastIndexOf(':')
  const otherwise = scheme === 'https' ? 443 : 80
  if (at < 0 || authority.endsWith(']')) return { host: authority, port: otherwise }
  return { host: authority.slice(0, at), port: Number(authority.slice(at + 1)) || otherwise }
}
