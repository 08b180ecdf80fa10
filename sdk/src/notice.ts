import { writeSync } from 'node:fs'

/** Says one plain line to the person who runs the service. Never throws. */
export type Notice = (line: string) => void

/** Lines go to stderr; the same line only once in a minute. */
export function stderrNotice(): Notice {
  const saidAt = new Map<string, number>()
  return line => {
    const now = performance.now()
    const last = saidAt.get(line)
    if (last !== undefined && now - last < 60_000) return
    if (saidAt.size > 200) saidAt.clear()
    saidAt.set(line, now)
    try {
      writeSync(2, `shaketable: ${line.replaceAll(/[\s\p{Cc}]+/gu, ' ')}\n`)
    } catch {
      // A closed stderr is no reason to disturb the service.
    }
  }
}
