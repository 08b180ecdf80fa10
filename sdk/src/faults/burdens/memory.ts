import { FieldError } from '../fields.ts'
import type { Burden } from './burden.ts'
import { startLeasedThread } from './leased-thread.ts'

const atMost = 2 ** 36
/** Written to, or the kernel would not really give it; in slices, so that the memory of the host is never taken at one blow. */
const body = `const slices = []
let left = data
const timer = setInterval(() => {
  if (expired()) process.exit()
  const bytes = Math.min(left, 16 * 2 ** 20)
  if (bytes > 0) slices.push(Buffer.alloc(bytes, 1))
  left -= bytes
}, 5)`

/** Takes memory, outside of the app's own heap; the thread that holds it gives it back by its end. */
export const memory: Burden<'memory'> = {
  kind: 'memory',
  parse(fields) {
    const bytes = fields.number('bytes', { min: 1, max: atMost, integer: true })
    const most = Math.floor(process.availableMemory() / 2)
    if (bytes > most)
      throw new FieldError(`effect.bytes: expected at most half of what is free (${most} bytes), saw ${bytes}`)
    return { kind: 'memory', bytes }
  },
  begin({ bytes }, lease, clock, struck) {
    startLeasedThread(body, bytes, lease, clock)
    struck()
  },
}
