import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

/** What a tag may be called. */
export const tagPattern = /^[\w-]{1,64}$/
const tokenPattern = /^([\w-]{1,64})\.(\d{1,15})\.([\w-]{22})\.([\w-]{43})$/
const mostRemembered = 1_000

/**
 * The value of the baggage member `shaketable.tag`, by which a request says that faults with this `tag` may strike it, wherever it
 * comes by: the name, when it expires, a number that makes it unlike any other, and an HMAC-SHA256 of these under the key of fault
 * control. Throws a `RangeError` for a name that is none.
 *
 * ```ts
 * fetch(url, { headers: { baggage: `shaketable.tag=${signedTag('run-7', key, 60_000)}` } })
 * ```
 */
export function signedTag(name: string, key: string, lifeMs: number, now = Date.now()): string {
  if (!tagPattern.test(name)) throw new RangeError(`a tag is 1 to 64 letters, digits, _ and -, saw ${name}`)
  const nonce = randomBytes(16).toString('base64url')
  const said = `${name}.${Math.ceil(now + lifeMs)}.${nonce}`
  return `${said}.${signature(said, key)}`
}

/** Tells the name of a tag; `undefined` where it is not signed with the key, or too old. */
export type TagReader = (token: string | undefined) => string | undefined

export function tagReader(key: string, wall = Date.now): TagReader {
  // A journey's requests bear the same one; those that are not signed are not worth remembering.
  const signed = new Set<string>()
  return token => {
    const [, name, expiresAt, nonce, given] = tokenPattern.exec(token ?? '') ?? []
    if (!token || !given || wall() >= Number(expiresAt)) return undefined
    if (signed.has(token)) return name
    const expected = signature(`${name}.${expiresAt}.${nonce}`, key)
    if (!timingSafeEqual(Buffer.from(given), Buffer.from(expected))) return undefined
    if (signed.size >= mostRemembered) signed.clear()
    signed.add(token)
    return name
  }
}

const signature = (said: string, key: string) => createHmac('sha256', key).update(said).digest('base64url')
