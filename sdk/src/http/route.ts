import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest, ServerHttp2Stream } from 'node:http2'
import type { Http2Exchange } from './http2-exchange.ts'

type Message = IncomingMessage | Http2ServerRequest | ServerHttp2Stream | Http2Exchange

const base = Symbol('shaketable.base')
// Registered: an app may import another copy of this module than the one that observes it.
const route = Symbol.for('shaketable.route')
const syntax = Symbol('shaketable.syntax')
const withheld = Symbol('shaketable.withheld')

type Route = string | undefined | (() => string | undefined)
type Routed = { [base]?: string; [route]?: Route; [syntax]?: RouteSyntax; [withheld]?: boolean }

/** How a template is read back: Express' `:id`, which most routers share, or Hapi's `{id}`. */
export type RouteSyntax = 'express' | 'hapi'

/** All messages of one HTTP/2 stream share what is noted of it. */
function notesOf(message: Message): Routed {
  const isHttp2 = 'httpVersionMajor' in message && message.httpVersionMajor > 1
  return (isHttp2 ? (message as Http2ServerRequest).stream : message) as Routed
}

/** The template of the router that handles the request now, e.g. `/users/:id` of a mounted router. */
export function baseOf(request: Message): string {
  return notesOf(request)[base] ?? ''
}

export function setBase(request: Message, template: string): void {
  notesOf(request)[base] = template
}

/** `http.route`: the template that a framework matched; undefined when none did. */
export function routeOf(request: Message): string | undefined {
  const known = notesOf(request)[route]
  return typeof known === 'function' ? known() : known
}

/**
 * Tells the SDK the template that a router of your own has matched: it becomes `http.route` of the request's span, metrics
 * and access line. Give it a template such as `/orders/:id`, never the path itself: each one makes a metric series.
 *
 * ```ts
 * createServer((request, response) => {
 *   setRoute(request, '/orders/:id')
 *   response.end()
 * })
 * ```
 */
export function setRoute(
  request: IncomingMessage | Http2ServerRequest | ServerHttp2Stream,
  template: string | undefined,
): void {
  notesOf(request)[route] = template
}

/** `setRoute` with a template of Hapi's. */
export function setHapiRoute(request: IncomingMessage, template: string): void {
  setRoute(request, template)
  notesOf(request)[syntax] = 'hapi'
}

export function syntaxOf(request: Message): RouteSyntax {
  return notesOf(request)[syntax] ?? 'express'
}

/** For a framework that knows its route only as it answers: asked for when the request ends. */
export function setRouteLater(request: Message, tell: () => string | undefined): void {
  notesOf(request)[route] = tell
}

/** A fault keeps the request from the app: no framework has seen it, so that it cannot have a route of its own. */
export function withhold(request: Message): void {
  notesOf(request)[withheld] = true
}

/** The app gets the request after all. */
export function handOver(request: Message): void {
  notesOf(request)[withheld] = false
}

export function isWithheld(request: Message): boolean {
  return notesOf(request)[withheld] === true
}

/** Joins templates: one slash between them, none at the end, `/` for nothing. */
export function joinTemplates(parent: string, own: string): string {
  const joined = `${parent.replace(/\/+$/, '')}/${own.replace(/^\/+/, '')}`.replace(/\/+$/, '')
  return joined === '' ? '/' : joined
}
