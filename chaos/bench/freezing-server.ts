/**
 * Answers at once, but for a freeze of 200 ms every 2 s, in which its only thread sleeps: the kernel goes on to accept and to
 * buffer for it, as for a process in a long garbage collection. It costs no CPU, so that nobody else is slowed. Tells its port.
 */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const everyMs = 2000
const freezeMs = 200

const server = createServer((_, response) => response.end('ok'))
server.keepAliveTimeout = 60_000
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  process.send?.({ port: (server.address() as AddressInfo).port })
})

const nothing = new Int32Array(new SharedArrayBuffer(4))
const beganAt = performance.now()
const freezeNext = (nth: number) => {
  setTimeout(
    () => {
      Atomics.wait(nothing, 0, 0, freezeMs)
      freezeNext(nth + 1)
    },
    beganAt + nth * everyMs - performance.now(),
  )
}
freezeNext(1)

process.once('disconnect', () => process.exit())
