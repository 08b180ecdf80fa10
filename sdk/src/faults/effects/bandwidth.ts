import type { Shaping } from './effect.ts'

/** A piece takes its time before it arrives, and none takes longer than this, so that a slow body trickles. */
const pieceMs = 50

/** Lets the body of the answer through at a rate. */
export const bandwidth: Shaping<'bandwidth'> = {
  kind: 'bandwidth',
  parse: fields => ({
    kind: 'bandwidth',
    bytesPerSecond: fields.number('bytesPerSecond', { min: 1, max: 2 ** 40, integer: true }),
  }),
  valve({ bytesPerSecond }) {
    const most = Math.max(1, Math.floor((bytesPerSecond * pieceMs) / 1000))
    let next: { bytes: number; at: number } | undefined
    let freeAt = 0
    return (waiting, now) => {
      if (next === undefined) {
        const bytes = Math.min(most, waiting)
        next = { bytes, at: Math.max(freeAt, now) + (bytes * 1000) / bytesPerSecond }
      }
      if (now < next.at) return { againInMs: next.at - now }
      const { bytes, at } = next
      // A late timer is made up for, a pause of the sender is not.
      freeAt = now - at > pieceMs * 4 ? now : at
      next = undefined
      return { pass: bytes }
    }
  },
}
