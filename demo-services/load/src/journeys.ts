// The journeys of the shop's system.yaml, as k6 walks them.
import { check, fail } from 'k6'
import exec from 'k6/execution'
import http, { type RefinedResponse } from 'k6/http'
import { judge } from '../generated/objectives.js'

interface Step {
  request: { method?: string; to: string; path: string; headers?: Record<string, string>; json?: unknown }
  expect?: { status?: number }
  capture?: Record<string, string>
}
type Journeys = Record<string, { setup?: Step[]; steps: Step[] }>
type Captured = Record<string, string>

const journeys: Journeys = JSON.parse(open('../generated/journeys.json'))
const addresses: Record<string, string> = { gateway: __ENV.GATEWAY_URL ?? 'http://127.0.0.1:3000' }

/** What each journey does once before all: it signs in. */
export function setup(): Record<string, Captured> {
  const captured = Object.entries(journeys).map(([name, { setup = [] }]) => [name, walk(setup, {})])
  return Object.fromEntries(captured)
}

/** One user's way through the journey that the scenario is named after. */
export function journey(captured: Record<string, Captured>): void {
  const { name } = exec.scenario
  walk(journeys[name]?.steps ?? [], captured[name] ?? {})
}

function walk(steps: Step[], known: Captured): Captured {
  const captured = { ...known }
  for (const step of steps) {
    const response = send(step.request, captured)
    const expected = step.expect?.status
    if (expected !== undefined)
      check(response, { [`${step.request.path} answers ${expected}`]: ({ status }) => status === expected })
    for (const [name, path] of Object.entries(step.capture ?? {})) captured[name] = String(response.json(path))
  }
  return captured
}

function send({ method = 'GET', to, path, headers = {}, json }: Step['request'], captured: Captured) {
  const value = (name: string) => (name === 'uuid' ? crypto.randomUUID() : captured[name])
  const filled = (text: string) =>
    text.replace(/\$\{(\w+)\}/g, (_, name) => value(name) ?? fail(`nothing captured ${name}`))
  const sent = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, filled(value)]))
  const response: RefinedResponse<'text'> = http.request(
    method,
    `${addresses[to]}${filled(path)}`,
    json === undefined ? null : filled(JSON.stringify(json)),
    {
      headers: { ...(json !== undefined && { 'content-type': 'application/json' }), ...sent },
      responseType: 'text',
      timeout: '5s',
      // Not one series for each path that was filled in.
      tags: { name: `${method} ${path}` },
    },
  )
  judge(response, { service: to, method, route: path })
  return response
}
