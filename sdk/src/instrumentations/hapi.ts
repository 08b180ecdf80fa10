import type { IncomingMessage } from 'node:http'
import { setHapiRoute } from '../http/route.ts'
import type { LibraryFile } from './modules.ts'

interface Request {
  raw: { req: IncomingMessage }
  route: { path: string }
}

interface Server {
  ext(event: 'onPreAuth', method: (request: Request, h: { continue: symbol }) => symbol): void
}

/** Every server of Hapi gets one extension, the first that runs once a route is found; the app's 404 does not run it. */
export const hapi: LibraryFile = {
  library: '@hapi/hapi',
  file: 'lib/server.js',
  majors: [20, 21],
  patch(exported) {
    const create = exported as (options?: object) => Server
    // With `new` or without: what is returned is the server.
    return function createServer(options?: object): Server {
      const server = create(options)
      server.ext('onPreAuth', ({ raw, route }, h) => {
        setHapiRoute(raw.req, route.path)
        return h.continue
      })
      return server
    }
  },
}
