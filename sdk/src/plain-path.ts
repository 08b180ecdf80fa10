const digit = 2
/** By character code: a digit, 1 for the others that are plain, 0 for all else. */
const kinds = new Uint8Array(128)
// Not J: a JSON web token begins with `eyJ`.
for (const character of 'ABCDEFGHIKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz/_-.~') kinds[character.charCodeAt(0)] = 1
for (const character of '0123456789') kinds[character.charCodeAt(0)] = digit

const digitsOfCard = 12

/**
 * Whether a path is written as it is in JSON and in a URL, and cannot hold a secret. Nearly every one is: one look at each
 * character tells, where each of a request's rooms would run a regular expression of its own.
 */
export function isPlainPath(path: string): boolean {
  let digits = 0
  for (let at = 0; at < path.length; at++) {
    const code = path.charCodeAt(at)
    const kind = code < 128 ? kinds[code]! : 0
    if (kind === 0) return false
    digits = kind === digit ? digits + 1 : 0
    if (digits === digitsOfCard) return false
  }
  return true
}
