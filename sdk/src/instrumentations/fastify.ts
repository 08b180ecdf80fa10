import type { IncomingMessage } from 'node:http'
import { watchChannel } from '../http/channel.ts'
import { setRoute } from '../http/route.ts'
import type { Notice } from '../notice.ts'
import { announce } from './modules.ts'

interface Request {
  raw: IncomingMessage
  is404: boolean
  routeOptions: { url?: string | undefined }
}

interface Fastify {
  version: string
  addHook(name: 'onRequest', hook: (request: Request, reply: unknown, done: () => void) => void): unknown
}

/** Every instance of Fastify announces itself on its own channel; the first of its hooks tells the route. */
export function watchFastify(notice: Notice): void {
  watchChannel<{ fastify: Fastify }>('fastify.initialization', notice, ({ fastify }) => {
    fastify.addHook('onRequest', ({ raw, is404, routeOptions }, _reply, done) => {
      if (!is404) setRoute(raw, routeOptions.url)
      done()
    })
    announce({ library: 'fastify', version: fastify.version })
  })
}
