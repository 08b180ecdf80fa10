import type { IncomingMessage, ServerResponse } from 'node:http'
import { baseOf, joinTemplates, routeOf, setBase, setRoute } from '../http/route.ts'
import type { LibraryFile } from './modules.ts'

type Next = (error?: unknown) => void
type Handle = (this: Layer, request: IncomingMessage, response: ServerResponse, next: Next) => unknown
type Pattern = string | RegExp

interface Layer {
  route?: object
  path?: string
  handle_request?: Handle
  handleRequest?: Handle
  match(path: string): unknown
  [given]?: Pattern | Pattern[]
  [joined]?: { parent: string; own: string; template: string }
  [options]?: object
}

type LayerConstructor = {
  (path: Pattern | Pattern[], options: object, handler: unknown): Layer
  new (path: Pattern | Pattern[], options: object, handler: unknown): Layer
  prototype: Layer
}

const given = Symbol('shaketable.pattern')
const joined = Symbol('shaketable.template')
const options = Symbol('shaketable.options')

/** Express 4, and Express 5's router: the template that matched, mounted routers included, becomes `http.route`. */
export const express: readonly LibraryFile[] = [
  { library: 'express', file: 'lib/router/layer.js', majors: [4], patch: layer => patchLayer(layer, 'handle_request') },
  { library: 'router', file: 'lib/layer.js', majors: [2], patch: layer => patchLayer(layer, 'handleRequest') },
]

function patchLayer(exported: unknown, method: 'handle_request' | 'handleRequest'): unknown {
  const Original = exported as LayerConstructor
  const handle = Original.prototype[method]
  if (!handle) throw new Error(`Layer.prototype.${method} is not there`)

  function Layer(path: Pattern | Pattern[], layerOptions: object, handler: unknown): Layer {
    const layer = new Original(path, layerOptions, handler)
    layer[given] = path
    layer[options] = layerOptions
    return layer
  }
  Layer.prototype = Original.prototype

  Original.prototype[method] = function (request, response, next) {
    const pattern = this[given]
    if (pattern === undefined || (!this.route && pattern === '/')) return handle.call(this, request, response, next)
    const parent = baseOf(request)
    const template = templateOf(this, parent, patternText(this, pattern, request))
    if (this.route) return handle.call(this, request, response, enterRoute(request, template, next))
    setBase(request, template)
    return handle.call(this, request, response, (error?: unknown) => {
      setBase(request, parent)
      next(error)
    })
  }

  /** Of several patterns, the one that fits the path. */
  function patternText(layer: Layer, pattern: Pattern | Pattern[], request: IncomingMessage): string {
    if (!Array.isArray(pattern)) return text(pattern)
    const [path = '/'] = (request.url ?? '/').split('?')
    const tried = layer.route ? path : (layer.path ?? path)
    try {
      const fits = pattern.flat().find(one => new Original(one, layer[options] ?? {}, () => {}).match(tried))
      return text(fits ?? pattern[0] ?? '/')
    } catch {
      // Express throws for a path that it cannot decode; that is for the app's own layer to say.
      return text(pattern[0] ?? '/')
    }
  }

  return Layer
}

/** A layer is nearly always reached in the same way. */
function templateOf(layer: Layer, parent: string, own: string): string {
  const last = layer[joined]
  if (last?.parent === parent && last.own === own) return last.template
  const template = joinTemplates(parent, own)
  layer[joined] = { parent, own, template }
  return template
}

/** A route that passes the request on without an error was not the one that answered. */
function enterRoute(request: IncomingMessage, template: string, next: Next): Next {
  const before = routeOf(request)
  setRoute(request, template)
  return error => {
    if (error === undefined || error === null || error === 'route' || error === 'router') setRoute(request, before)
    next(error)
  }
}

function text(pattern: Pattern): string {
  return typeof pattern === 'string' ? pattern : String(pattern)
}
