/** Which requests a fault strikes, and where in its jitter: seeded, so that a run can be repeated. */
export interface Draw {
  struck: boolean
  /** Uniform in [0, 1), and a second one that is independent of it. */
  jitter: number
  turn: number
}

/**
 * Decides request by request. With a trace id the draw hangs on it (scope `request`), without one on the number of the attempt.
 * The fault's seed and id salt the draw, so two faults choose independently; the percentage does not, so a ramp only ever adds
 * requests. `measure` is the part of the percentage that is in force.
 */
export function choice(
  salt: { seed: number; id: string },
  percent: number,
): (traceId: string | undefined, measure?: number) => Draw {
  const start = fnv1a(`${salt.seed}:${salt.id}:`)
  const share = percent / 100
  let attempt = 0
  return (traceId, measure = 1) => {
    const drawn = fnv1a(traceId ?? `#${attempt++}`, start)
    return {
      struck: unit(drawn) < share * measure,
      jitter: unit(fnv1a('jitter', drawn)),
      turn: unit(fnv1a('turn', drawn)),
    }
  }
}

function fnv1a(text: string, start = 0x811c9dc5): number {
  let hash = start
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}

/** MurmurHash3's finaliser: FNV alone leaves close trace ids close together. */
function unit(hash: number): number {
  let mixed = hash ^ (hash >>> 16)
  mixed = Math.imul(mixed, 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return ((mixed ^ (mixed >>> 16)) >>> 0) / 0x1_0000_0000
}
