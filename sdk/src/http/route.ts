import type { IncomingMessage } from 'node:http'

const base = Symbol('shaketable.base')
// Registered: an app may import another copy of this module than the one that observes it.
const route = Symbol.for('shaketable.route')
const withheld = Symbol('shaketable.withheld')

type Route = string | undefined | (() => string | undefined)
type Routed = IncomingMessage & { [base]?: string; [route]?: Route; [withheld]?: boolean }

/** The template of the router that handles the request now, e.g. `/users/:id` of a mounted router. */
export function baseOf(request: IncomingMessage): string {
  return (request as Routed)[base] ?? ''
}

export function setBase(request: IncomingMessage, template: string): void {
  ;(request as Routed)[base] = template
}

/** `http.route`: the template that a framework matched; undefined when none did. */
export function routeOf(request: IncomingMessage): string | undefined {
  const known = (request as Routed)[route]
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
export function setRoute(request: IncomingMessage, template: string | undefined): void {
  ;(request as Routed)[route] = template
}

/** For a framework that knows its route only as it answers: asked for when the request ends. */
export function setRouteLater(request: IncomingMessage, tell: () => string | undefined): void {
  ;(request as Routed)[route] = tell
}

/** A fault keeps the request from the app: no framework has seen it, so that it cannot have a route of its own. */
export function withhold(request: IncomingMessage): void {
  ;(request as Routed)[withheld] = true
}

/** The app gets the request after all. */
export function handOver(request: IncomingMessage): void {
  ;(request as Routed)[withheld] = false
}

export function isWithheld(request: IncomingMessage): boolean {
  return (request as Routed)[withheld] === true
}

/** Joins templates: one slash between them, none at the end, `/` for nothing. */
export function joinTemplates(parent: string, own: string): string {
  const joined = `${parent.replace(/\/+$/, '')}/${own.replace(/^\/+/, '')}`.replace(/\/+$/, '')
  return joined === '' ? '/' : joined
}
