import type { Shaping } from './effect.ts'

/** Cuts the answer off after so many bytes of its body. */
export const truncate: Shaping<'truncate'> = {
  kind: 'truncate',
  parse: fields => ({
    kind: 'truncate',
    afterBytes: fields.number('afterBytes', { min: 0, max: 2 ** 40, integer: true }),
  }),
  valve({ afterBytes }) {
    let left = afterBytes
    return waiting => {
      if (left === 0) return 'cut'
      const pass = Math.min(left, waiting)
      left -= pass
      return { pass }
    }
  },
}
