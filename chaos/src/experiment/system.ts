import { dirname } from 'node:path'
import { type Problem, type SourceDocument, suggestion } from '@shaketable/slo'
import type { Invariant, Journey, Step, System } from './model.ts'
import { type InvariantDocument, type StepDocument, type SystemDocument, systemSchema } from './system-schema.ts'

/** A System document as the model has it, or `undefined` and what is wrong with it among `problems`. */
export function systemOf(document: SourceDocument, problems: Problem[]): System | undefined {
  const content = document.read(systemSchema, problems)
  if (!content) return undefined
  const before = problems.length
  const { services, journeys, invariants } = content.spec
  namedOnce(document, 'services', services, problems)
  namedOnce(document, 'journeys', journeys, problems)
  namedOnce(document, 'invariants', invariants, problems)
  for (const [index, service] of services.entries()) {
    if (service.local || service.docker || service.kubernetes || service.attach) continue
    const words = `"${service.name}" has no "local", "docker" or "kubernetes" section, so that nothing tells where it runs`
    const hint =
      'add "local: { command: [...] }", "docker: { label: key=value }" or "kubernetes: { selector: key=value }"'
    problems.push(document.problem(['spec', 'services', index], words, hint))
  }
  for (const index of journeys.keys()) checkJourney(document, content, index, problems)
  if (problems.length > before) return undefined

  return {
    name: content.metadata.name,
    protected: content.metadata.protected,
    services: services.map((service, index) => ({
      name: service.name,
      local: service.local && {
        command: service.local.command,
        replicas: service.local.replicas,
        env: service.local.env,
        graceMs: service.local.grace,
        restartDelayMs: service.local.restartDelay,
      },
      docker: service.docker && {
        label: service.docker.label,
        port: service.docker.port,
        restartDelayMs: service.docker.restartDelay,
      },
      kubernetes: service.kubernetes && {
        selector: service.kubernetes.selector,
        namespace: service.kubernetes.namespace,
        port: service.kubernetes.port,
        url: service.kubernetes.url,
      },
      attach: service.attach?.map(({ url, admin, faults }) => ({ url, admin, faults })),
      toxiproxy: service.toxiproxy,
      ready: service.ready,
      place: document.place(['spec', 'services', index]),
    })),
    journeys: journeys.map(
      (journey, index): Journey => ({
        name: journey.name,
        setup: journey.setup.map(stepOf),
        steps: journey.steps.map(stepOf),
        place: document.place(['spec', 'journeys', index]),
      }),
    ),
    invariants: invariants.map(invariantOf),
    dir: dirname(document.file),
    place: document.place(),
  }
}

export function invariantOf({ name, command, within }: InvariantDocument): Invariant {
  return { name, command, withinMs: within }
}

function stepOf({ request, expect, capture }: StepDocument): Step {
  const { method, to, path, headers, json } = request
  const status = typeof expect.status === 'number' ? [expect.status] : expect.status
  return { request: { method, to, path, headers, json }, expect: { status }, capture }
}

function namedOnce(document: SourceDocument, list: string, entries: { name: string }[], problems: Problem[]): void {
  const names = new Set<string>()
  for (const [index, { name }] of entries.entries()) {
    if (names.has(name)) problems.push(document.problem(['spec', list, index, 'name'], `"${name}" is taken already`))
    names.add(name)
  }
}

function checkJourney(document: SourceDocument, content: SystemDocument, index: number, problems: Problem[]): void {
  const journey = content.spec.journeys[index]!
  const { services } = content.spec
  const known = new Set(['uuid', 'seq'])
  for (const part of ['setup', 'steps'] as const) {
    for (const [number, step] of journey[part].entries()) {
      const at = ['spec', 'journeys', index, part, number, 'request']
      const { to, path, headers, json } = step.request
      const receiver = services.find(service => service.name === to)
      if (!receiver) {
        const names = services.map(service => service.name)
        problems.push(document.problem([...at, 'to'], `no service is named "${to}"; ${suggestion(to, names)}`))
      } else if (receiver.ready === 'tcp') {
        problems.push(document.problem([...at, 'to'], `"${to}" is no HTTP service: its readiness is "tcp"`))
      }
      for (const { text, path: where } of texts({ path, headers, json })) {
        for (const [, name] of text.matchAll(/\$\{([^}]*)\}/g)) {
          if (known.has(name!)) continue
          const words = `nothing is captured as "${name}" before this; ${suggestion(name!, known)}`
          problems.push(document.problem([...at, ...where], words))
        }
      }
      for (const name of Object.keys(step.capture)) known.add(name)
    }
  }
}

/** Every text within, with its path. */
function* texts(value: unknown, path: PropertyKey[] = []): Generator<{ text: string; path: PropertyKey[] }> {
  if (typeof value === 'string') yield { text: value, path }
  if (typeof value !== 'object' || value === null) return
  for (const [key, each] of Object.entries(value))
    yield* texts(each, [...path, Array.isArray(value) ? Number(key) : key])
}
