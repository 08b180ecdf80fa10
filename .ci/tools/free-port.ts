import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'

const [lowest, above] = [10_240, 32_768]

/**
 * A TCP port on loopback for a program that has to be told one, and the same one after a restart. It lies below those that the
 * kernel gives to outgoing connections and for port 0, so that neither takes it until the program listens; for other tests,
 * and for the runner's own services, the UDP port of the same number is held until this process ends.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (above - lowest))
    const holder = createSocket('udp4')
    if (!(await isTaken(holder.bind({ port, address: '127.0.0.1', exclusive: true })))) {
      const server = createServer()
      const taken = await isTaken(server.listen({ port, host: '127.0.0.1', exclusive: true }))
      await new Promise(resolve => server.close(resolve))
      holder.on('error', () => {}).unref()
      if (!taken) return port
    }
    holder.close()
  }
}

const isTaken = (listener: ReturnType<typeof createSocket> | ReturnType<typeof createServer>) =>
  once(listener, 'listening').then(
    () => false,
    () => true,
  )
