import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Server } from 'node:net'
import { activeContext, isUntraced } from '../context.ts'
import type { Notice } from '../notice.ts'
import { watchChannel } from './channel.ts'

/** http2 exports no classes; both of its servers, and nothing else, can update the settings of their sessions. */
type Http2Server = Server & { updateSettings(settings: object): void; closeIdleConnections?(): void }
// A property, not a WeakSet: each request asks for it.
const own = Symbol('shaketable.own')
type Marked = object & { [own]?: true }
type AppServer = HttpServer | HttpsServer | Http2Server

/** The app's HTTP servers: which listen, and which are the SDK's own (those that began to listen untraced). */
export class Servers {
  readonly listening = new Set<AppServer>()

  watch(notice: Notice): void {
    watchChannel<{ server: Marked }>('tracing:net.server.listen:asyncStart', notice, ({ server }) => {
      if (isUntraced(activeContext())) server[own] = true
    })
    watchChannel<{ server: Marked }>('tracing:net.server.listen:asyncEnd', notice, ({ server }) => {
      if (server[own] || !isHttp(server)) return
      this.listening.add(server)
      server.once('close', () => this.listening.delete(server))
    })
  }

  isOwn(server: Marked): boolean {
    return server[own] === true
  }
}

/** By what its kinds have in common: to name `https.Server` would load all of TLS. */
function isHttp(server: object): server is AppServer {
  return 'closeIdleConnections' in server || 'updateSettings' in server
}
