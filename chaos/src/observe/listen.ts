import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exitCode, ShaketableError } from '@shaketable/slo'

/** Has a server listen on `[HOST:]PORT`, loopback where it names no host, and tells its base URL. Port 0 takes a free one. */
export async function listenOn(server: Server, address: string, option: string): Promise<string> {
  const [, host = '127.0.0.1', port] = /^(?:(.+):)?(\d{1,5})$/.exec(address) ?? []
  server.listen(Number(port), host.replace(/^\[(.*)\]$/, '$1'))
  try {
    await once(server, 'listening')
  } catch (cause) {
    const words = `cannot listen on ${address} (${(cause as NodeJS.ErrnoException).code})`
    throw new ShaketableError('SHAKETABLE_ADDRESS_TAKEN', words, {
      exitCode: exitCode.invalidInput,
      hint: `give ${option} another address, or port 0 for any; nothing was started`,
      cause,
    })
  }
  return `http://${host}:${(server.address() as AddressInfo).port}`
}
