import type { IncomingMessage } from 'node:http'
import { Server } from 'node:net'

type Emit = (this: object, event: string | symbol, ...args: unknown[]) => boolean

/**
 * Tells of each request that leaves HTTP for another protocol. Node has no channel for it, and its request channels are
 * silent about these: a span as long as a WebSocket's life would help nobody.
 */
export function watchUpgrades(upgraded: (protocol: string) => void): void {
  // What http and https have in common.
  const server = Server.prototype as unknown as { emit: Emit }
  const { emit } = server
  server.emit = function (event, ...args) {
    if (event === 'upgrade') upgraded(protocolOf((args[0] as IncomingMessage).headers.upgrade))
    return emit.call(this, event, ...args)
  }
}

/** The client chooses the header's text, so that only the known protocol may become a label. */
export function protocolOf(upgrade: string | undefined): string {
  return upgrade?.toLowerCase() === 'websocket' ? 'websocket' : 'other'
}
