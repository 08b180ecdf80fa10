import type { IncomingMessage } from 'node:http'
import { routeOf, setRouteLater } from '../http/route.ts'
import type { LibraryFile } from './modules.ts'

type Handler = ((...args: unknown[]) => unknown) & { __COMPOSED_HANDLER?: Handler }

interface Route {
  path: string
  method: string
  handler: Handler
}

interface Options {
  /** What @hono/node-server hands over. */
  env?: { incoming?: IncomingMessage }
  /** Everything that fits the path, in its order: middleware, and the routes behind it. */
  matchResult?: readonly [readonly (readonly [readonly [Handler, Route], ...unknown[]])[], ...unknown[]]
}

interface Context {
  req: { routeIndex: number }
}

type ContextConstructor = new (request: unknown, options?: Options) => Context

/** Hono on Node: each request's context remembers what has matched; as it ends, the one that answered is the route. */
export const hono: readonly LibraryFile[] = [
  { library: 'hono', file: 'dist/context.js', binding: 'Context', majors: [4], patch },
  { library: 'hono', file: 'dist/cjs/context.js', majors: [4], patch },
]

function patch(exported: unknown): unknown {
  const { Context } = exported as { Context?: ContextConstructor }
  if (!Context) throw new Error('Context is not there')
  class ObservedContext extends Context {
    constructor(request: unknown, options?: Options) {
      super(request, options)
      const { env, matchResult } = options ?? {}
      const incoming = env?.incoming
      // An app that is mounted in another one knows only its part of the path.
      if (!incoming || !matchResult || routeOf(incoming) !== undefined) return
      setRouteLater(incoming, () =>
        answering(
          matchResult[0].map(([[, route]]) => route),
          this.req.routeIndex,
        ),
      )
    }
  }
  return { ...(exported as object), Context: ObservedContext }
}

/** The route that was reached, or the one that middleware kept the request from. */
function answering(matched: readonly Route[], reached: number): string | undefined {
  return matched.slice(reached).find(route => !isMiddleware(route))?.path
}

/** As Hono's own `inspectRoutes` tells them apart. */
function isMiddleware({ method, handler }: Route): boolean {
  return method === 'ALL' && composed(handler).length > 1
}

function composed(handler: Handler): Handler {
  return handler.__COMPOSED_HANDLER ? composed(handler.__COMPOSED_HANDLER) : handler
}
