const quoted = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'/
const parts = new RegExp(`${quoted.source}|(?<![=!<>])=(?!=)`, 'g')
const wildcardFilter = /(?:\.\*|\[\*\])\[\?/g

/**
 * A path as the Toolkit's own library (jsonpath2) means it, in the words of RFC 9535; `undefined` where it has no such form. There a
 * filter tests what it stands behind and not what is in it, one `=` compares, and what is not there is unequal to nothing.
 */
export function asRfc9535(path: string): string | undefined {
  const standing = path.replaceAll(wildcardFilter, '\0')
  if (standing.includes('[?')) return undefined
  return standing
    .replaceAll('\0', '[?')
    .replace(parts, part => (part === '=' ? '==' : part))
    .replaceAll(/(@[^\s!=<>()]+)\s*!=/g, '$1 && $1 !=')
}
