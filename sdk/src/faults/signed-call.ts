import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** A call to fault control, as far as its signature covers it: all of it. */
export interface Call {
  method: string
  path: string
  body: string
}

/** How far the clocks of both sides may be apart, and how long a call is remembered. */
const windowMs = 30_000
const mostRemembered = 10_000
const pattern = /^Shaketable t=(\d{1,15}),n=([\w-]{22}),s=([0-9a-f]{64})$/

/**
 * The `Authorization` of one call: the time, a number that is used once, and an HMAC-SHA256 of both and the call under the key. The
 * key itself never travels, and the same bytes are not taken twice.
 */
export function authorizationOf(call: Call, key: string, now = Date.now()): string {
  const nonce = randomBytes(16).toString('base64url')
  return `Shaketable t=${now},n=${nonce},s=${signature(call, key, now, nonce)}`
}

/** Tells why a call is refused; `undefined` where it is not. Remembers what it has taken. */
export function callCheck(
  key: string,
  wall = Date.now,
): (authorization: string | undefined, call: Call) => string | undefined {
  const taken = new Map<string, number>()
  const forget = (before: number) => {
    for (const [nonce, at] of taken) {
      if (at >= before) return
      taken.delete(nonce)
    }
  }
  return (authorization, call) => {
    const [, time, nonce, given] = pattern.exec(authorization ?? '') ?? []
    if (!time || !nonce || !given) return 'authorization: expected a call that is signed with SHAKETABLE_FAULTS_KEY'
    const expected = signature(call, key, Number(time), nonce)
    // Of the same length, and compared in the same time wherever they differ.
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return 'authorization: signed with another key'
    const now = wall()
    const apartMs = Math.abs(now - Number(time))
    if (apartMs > windowMs)
      return `authorization: the clocks are ${Math.round(apartMs / 1000)} s apart, expected at most ${windowMs / 1000} s`
    forget(now - 2 * windowMs)
    if (taken.has(nonce)) return 'authorization: this very call has been made before'
    if (taken.size >= mostRemembered) return 'authorization: too many calls within a minute'
    taken.set(nonce, now)
    return undefined
  }
}

function signature({ method, path, body }: Call, key: string, time: number, nonce: string): string {
  const digest = createHash('sha256').update(body).digest('hex')
  return createHmac('sha256', key).update([method, path, time, nonce, digest].join('\n')).digest('hex')
}
