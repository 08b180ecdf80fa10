import type { IncomingMessage } from 'node:http'
import { setRoute } from '../http/route.ts'
import type { LibraryFile } from './modules.ts'

interface Layer {
  path: string | RegExp
  methods: readonly string[]
}

interface Context {
  req: IncomingMessage
  /** The router's layers that fit the path: routes, and middleware, which has no methods. */
  matched?: readonly Layer[]
  [matchedRoute]?: string | RegExp
}

const matchedRoute = Symbol('shaketable.matchedRoute')

/**
 * Koa itself has no routes. @koa/router, and koa-router before it, tell theirs to the app as `ctx._matchedRoute`: an
 * accessor on Koa's context hears it, whichever copy or module format of the router speaks.
 */
export const koa: LibraryFile = {
  library: 'koa',
  file: 'lib/context.js',
  majors: [2, 3],
  patch(exported) {
    return Object.defineProperty(exported as object, '_matchedRoute', {
      configurable: true,
      enumerable: true,
      get(this: Context) {
        return this[matchedRoute]
      },
      set(this: Context, path: string | RegExp) {
        this[matchedRoute] = path
        // The router names its middleware, too, while that runs.
        if (this.matched?.some(layer => layer.path === path && layer.methods.length > 0))
          setRoute(this.req, String(path))
      },
    })
  },
}
