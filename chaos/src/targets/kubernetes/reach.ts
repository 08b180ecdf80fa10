import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Cluster } from './cluster.ts'

const host = '127.0.0.1'

/** The pod that plays an instance at this moment. */
export interface CurrentPod {
  namespace: string
  name: string
  ip: string | undefined
}

/** A way to one port of an instance, whichever pod it is by then. */
export interface Reach {
  /** `host:port`, or `undefined` while there is no pod to name. */
  readonly at: string | undefined
  close(): Promise<void>
}

/** From inside the cluster: the pod's own address. */
export function addressOf(port: number, current: () => CurrentPod | undefined): Reach {
  return {
    get at() {
      const ip = current()?.ip
      return ip && `${ip.includes(':') ? `[${ip}]` : ip}:${port}`
    },
    close: async () => {},
  }
}

/**
 * From anywhere else: a port of this machine whose connections the API server carries to the pod, as `kubectl port-forward`
 * does. Connections that come while there is no pod are closed.
 */
export async function forwardTo(port: number, current: () => CurrentPod | undefined, cluster: Cluster): Promise<Reach> {
  const open = new Set<Socket>()
  const server = createServer({ allowHalfOpen: false }, socket => {
    open.add(socket)
    socket.on('close', () => open.delete(socket))
    socket.on('error', () => {})
    carry(socket).catch(() => socket.destroy())
  })

  async function carry(socket: Socket): Promise<void> {
    const pod = current()
    if (!pod) return void socket.destroy()
    const carrier = await cluster.forwarding.portForward(pod.namespace, pod.name, [port], socket, null, socket)
    if (typeof carrier === 'function') return
    socket.on('close', () => carrier.close())
    carrier.on('close', () => socket.end())
    carrier.on('error', () => socket.destroy())
    if (socket.destroyed) carrier.close()
  }

  server.listen(0, host)
  await once(server, 'listening')
  server.unref()
  return {
    at: `${host}:${(server.address() as AddressInfo).port}`,
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      for (const socket of open) socket.destroy()
      await closed
    },
  }
}
