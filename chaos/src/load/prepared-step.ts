import type { Step } from '../experiment/model.ts'
import { jsonTemplate, namesOf, type Template, textTemplate, type Values } from './template.ts'

/** A step with its templates found once. */
export interface PreparedStep {
  step: Step
  /** Every `${name}` that it needs. */
  names: ReadonlySet<string>
  path: Template<string>
  headers: [string, Template<string>][]
  body: Template<string> | undefined
}

export function prepareStep(step: Step): PreparedStep {
  const path = textTemplate(step.request.path)
  const headers = Object.entries(step.request.headers).map(([name, value]): [string, Template<string>] => [
    name.toLowerCase(),
    textTemplate(value),
  ])
  const body = step.request.json === undefined ? undefined : jsonTemplate(step.request.json)
  if (body && !headers.some(([name]) => name === 'content-type')) {
    headers.push(['content-type', textTemplate('application/json')])
  }
  const templates = [path, ...headers.map(([, value]) => value), ...(body ? [body] : [])]
  return { step, names: namesOf(templates), path, headers, body }
}

/** Headers and body of the request for one arrival. */
export function fillRequest(
  prepared: PreparedStep,
  values: Values,
): { path: string; headers: Record<string, string>; body: string | null } {
  const headers: Record<string, string> = {}
  for (const [name, value] of prepared.headers) headers[name] = value.fill(values)
  return { path: prepared.path.fill(values), headers, body: prepared.body?.fill(values) ?? null }
}
