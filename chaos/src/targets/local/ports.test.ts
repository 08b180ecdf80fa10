import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { Ports } from './ports.ts'

const all: Ports[] = []
const make = () => {
  const ports = new Ports()
  all.push(ports)
  return ports
}
afterEach(() => {
  for (const ports of all.splice(0)) ports.release()
})

it('gives ports on which a service can listen, none of them twice, to two runs at once', async () => {
  const [one, two] = [make(), make()]
  const given = await Promise.all(Array.from({ length: 60 }, (_, i) => (i % 2 ? one : two).reserve()))
  expect(new Set(given).size).toBe(60)
  const server = createServer().listen(given[0], '127.0.0.1')
  await once(server, 'listening')
  server.close()
})

it('holds the UDP port of the same number until it is released', async () => {
  const ports = make()
  const port = await ports.reserve()
  const bind = () =>
    new Promise<string>(resolve => {
      const socket = createSocket('udp4')
      socket.on('error', error => {
        socket.close()
        resolve((error as NodeJS.ErrnoException).code ?? 'error')
      })
      socket.bind(port, '127.0.0.1', () => socket.close(() => resolve('bound')))
    })
  expect(await bind()).toBe('EADDRINUSE')
  ports.release()
  ports.release()
  await expect.poll(bind).toBe('bound')
})

it('stays below the range from which the kernel serves outgoing connections', async () => {
  const ports = make()
  for (let i = 0; i < 20; i++) {
    const port = await ports.reserve()
    expect(port).toBeGreaterThanOrEqual(10_240)
    expect(port).toBeLessThan(65_536)
  }
})
