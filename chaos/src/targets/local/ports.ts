import { randomInt } from 'node:crypto'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { ShaketableError } from '@shaketable/slo'

const host = '127.0.0.1'
const lowest = 10_240
const attempts = 500

/**
 * TCP ports on loopback that stay ours for the life of this process. Between two starts of a service nobody listens on its
 * TCP port, so we hold the UDP port of the same number, which every other run respects; the kernel lets go of it
 * when we die, and no lock file is left behind. They lie below the range from which the kernel serves outgoing connections.
 */
export class Ports {
  readonly #held: Socket[] = []
  readonly #below = ephemeralStart()

  /** Rejects with SHAKETABLE_NO_PORT when no free one can be found. */
  async reserve(): Promise<number> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const port = randomInt(lowest, this.#below)
      const holder = await hold(port)
      if (!holder) continue
      if (await isFree(port)) {
        this.#held.push(holder)
        return port
      }
      holder.close()
    }
    throw new ShaketableError(
      'SHAKETABLE_NO_PORT',
      `no free port on ${host} after ${attempts} attempts from ${lowest} to ${this.#below - 1}`,
    )
  }

  /** Gives all of them back. Idempotent. */
  release(): void {
    for (const holder of this.#held.splice(0)) holder.close()
  }
}

async function hold(port: number): Promise<Socket | undefined> {
  const socket = createSocket({ type: 'udp4', reuseAddr: false })
  try {
    socket.bind({ port, address: host, exclusive: true })
    await once(socket, 'listening')
    socket.on('error', () => {})
    return socket.unref()
  } catch {
    socket.close()
    return undefined
  }
}

async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ port, host, exclusive: true })
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    await new Promise(resolve => server.close(resolve))
  }
}

/** The first port of the kernel's own range; a range that leaves too little room below it is ignored. */
function ephemeralStart(): number {
  try {
    const start = Number.parseInt(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'latin1'), 10)
    if (start > lowest + 1000) return start
  } catch {
    // Not Linux.
  }
  return 32_768
}
