import { type Path, type Problem, SourceDocument } from '@shaketable/slo'
import { shown } from '../secrets.ts'
import { mappedFunctions } from './mapped/index.ts'
import type { Activity, Provider, ToolkitExperiment } from './model.ts'
import { type ActivitySource, type ReferenceSource, toolkitSchema } from './schema.ts'
import { settingOf } from './settings.ts'
import { substitute, type Values } from './substitute.ts'
import { toleranceOf } from './tolerance-of.ts'

/** CTK waits for ever; a server that never answers must not hold the faults for as long. */
const defaultHttpTimeoutMs = 30_000
const defaultEveryMs = 1000

export interface Surroundings {
  env: NodeJS.ProcessEnv
  /** Whether a program is there to be run, by its name or path. */
  runnable(path: string): boolean
}

export interface ReadToolkit {
  experiment: ToolkitExperiment
  /** Every secret, in no order, to be hidden from everything that is shown. */
  secrets: string[]
  /** What stands in the file and does nothing, as in the Toolkit, which is silent about it. */
  notes: Problem[]
}

/** Reads an experiment of the Chaos Toolkit. `undefined` where it cannot be run, with every reason among `problems`. */
export function readToolkit(
  document: SourceDocument,
  around: Surroundings,
  problems: Problem[],
): ReadToolkit | undefined {
  const before = problems.length
  const content = document.read(toolkitSchema, problems)
  if (!content) return undefined
  const reader = new Reader(document, around, problems)
  const configuration = reader.settings(content.configuration ?? {}, ['configuration'])
  const secrets: ToolkitExperiment['secrets'] = {}
  for (const [scope, declared] of Object.entries(content.secrets ?? {}))
    secrets[scope] = reader.settings(declared, ['secrets', scope])
  reader.values = { configuration, secrets }

  const hypothesis = content['steady-state-hypothesis']
  const written = [...(hypothesis?.probes ?? []), ...content.method, ...(content.rollbacks ?? [])]
  reader.named = new Map(
    written.flatMap(each => ('ref' in each ? [] : [[each.name as string, each as ActivitySource]])),
  )
  const list = (activities: readonly (ActivitySource | ReferenceSource)[], path: Path) =>
    activities.flatMap((each, index) => reader.activity(each, [...path, index]) ?? [])

  const probes = list(hypothesis?.probes ?? [], ['steady-state-hypothesis', 'probes'])
  const experiment: ToolkitExperiment = {
    file: document.file,
    title: content.title,
    description: content.description,
    tags: content.tags ?? [],
    hypothesis: hypothesis ? { title: hypothesis.title, probes } : undefined,
    method: list(content.method, ['method']),
    rollbacks: list(content.rollbacks ?? [], ['rollbacks']),
    hypothesisStrategy: content.runtime?.hypothesis?.strategy ?? 'default',
    rollbackStrategy: content.runtime?.rollbacks?.strategy ?? 'default',
    everyMs: (content.runtime?.hypothesis?.frequency ?? defaultEveryMs / 1000) * 1000,
    configuration,
    secrets,
    source: document.value as Record<string, unknown>,
  }
  for (const [index, probe] of probes.entries()) {
    const path = ['steady-state-hypothesis', 'probes', index]
    if (probe.type !== 'probe')
      problems.push(document.problem(path, 'expected a probe: an action has no place in a hypothesis'))
    else if (!probe.tolerance)
      problems.push(document.problem(path, 'has no tolerance: without one it could never fail'))
  }
  if (problems.length > before) return undefined
  const telling = Object.entries(configuration).filter(([name]) => shown(name, '') !== '')
  const hidden = [...telling, ...Object.values(secrets).flatMap(scope => Object.entries(scope))]
  return { experiment, secrets: hidden.flatMap(([, value]) => texts(value)), notes: reader.notes }
}

const activityFields = ['type', 'name', 'background', 'pauses', 'controls', 'tolerance', 'provider']
const providerFields = {
  http: ['type', 'url', 'method', 'headers', 'arguments', 'timeout', 'verify_tls', 'secrets'],
  process: ['type', 'path', 'arguments', 'timeout', 'secrets'],
  python: ['type', 'module', 'func', 'arguments', 'secrets'],
}

class Reader {
  values: { configuration: Values; secrets: Record<string, Values> } = { configuration: {}, secrets: {} }
  named = new Map<string, ActivitySource>()
  readonly notes: Problem[] = []
  readonly #document: SourceDocument
  readonly #around: Surroundings
  readonly #problems: Problem[]

  constructor(document: SourceDocument, around: Surroundings, problems: Problem[]) {
    this.#document = document
    this.#around = around
    this.#problems = problems
  }

  settings(declared: Record<string, unknown>, path: Path): Record<string, unknown> {
    return Object.fromEntries(
      Object.entries(declared).flatMap(([name, each]) => {
        const setting = settingOf(each, this.#around.env)
        if ('value' in setting) return [[name, setting.value]]
        this.#refuse([...path, name], setting.wrong)
        return []
      }),
    )
  }

  activity(written: ActivitySource | ReferenceSource, path: Path): Activity | undefined {
    if ('ref' in written) {
      const meant = this.named.get(written.ref as string)
      if (meant) return this.activity(meant, path)
      this.#refuse([...path, 'ref'], `no activity of this experiment is named "${written.ref}"`)
      return undefined
    }
    const source = written as ActivitySource
    const before = this.#problems.length
    this.#noteIdle(source, activityFields, path)
    this.#noteIdle(source.provider, providerFields[source.provider.type], [...path, 'provider'])
    const values = this.#valuesFor(source, path)
    const filled = <T>(value: T, within: Path) =>
      substitute(value, values, name =>
        this.#refuse([...path, ...within], `\${${name}} is neither in the configuration nor among its secrets`),
      ) as T
    const provider = this.#provider(source, filled(source.provider, ['provider']), [...path, 'provider'])
    const pauses = filled(source.pauses ?? {}, ['pauses'])
    const tolerance = source.tolerance === undefined ? undefined : toleranceOf(filled(source.tolerance, ['tolerance']))
    if (tolerance && 'wrong' in tolerance) this.#refuse([...path, 'tolerance'], tolerance.wrong)
    if (tolerance && source.type === 'action')
      this.#refuse([...path, 'tolerance'], 'belongs to a probe, and this is an action')
    if (!provider || this.#problems.length > before) return undefined
    return {
      name: source.name,
      type: source.type,
      background: source.background ?? false,
      pauseBeforeMs: this.#ms(pauses.before, [...path, 'pauses', 'before']) ?? 0,
      pauseAfterMs: this.#ms(pauses.after, [...path, 'pauses', 'after']) ?? 0,
      provider,
      tolerance: tolerance && 'wrong' in tolerance ? undefined : tolerance,
      place: this.#document.place(path),
      source: source as Record<string, unknown>,
    }
  }

  #provider(written: ActivitySource, provider: ActivitySource['provider'], path: Path): Provider | undefined {
    if (provider.type === 'http') {
      if (!URL.canParse(provider.url) || !/^https?:$/.test(new URL(provider.url).protocol)) {
        return this.#refuse([...path, 'url'], 'expected an http:// or https:// URL')
      }
      return {
        type: 'http',
        url: provider.url,
        method: (provider.method ?? 'GET').toUpperCase(),
        headers: Object.fromEntries(
          Object.entries(provider.headers ?? {}).map(([name, value]) => [name, String(value)]),
        ),
        arguments: provider.arguments,
        timeoutMs: this.#ms(httpTimeout(provider.timeout), [...path, 'timeout']) ?? defaultHttpTimeoutMs,
      }
    }
    if (provider.type === 'process') {
      if (!this.#around.runnable(provider.path))
        return this.#refuse([...path, 'path'], 'there is no such program to be run')
      const timeoutMs = this.#ms(provider.timeout, [...path, 'timeout'])
      const { path: program, arguments: given } = provider
      // As CTK has it: one text is for a shell, a list or a mapping is for the program itself.
      if (typeof given === 'string')
        return { type: 'process', path: '/bin/sh', args: ['-c', `${program} ${given}`], timeoutMs }
      const args = Array.isArray(given) ? given : Object.entries(given ?? {}).flat()
      const told = args.filter(each => each !== null && each !== '').map(String)
      return { type: 'process', path: program, args: told, timeoutMs }
    }
    const name = `${provider.module}.${provider.func}`
    const known = mappedFunctions.get(name)
    if (!known)
      return this.#refuse(
        path,
        `${name} is refused: it is Python, and nothing of ours does the same`,
        equals(provider.module),
      )
    if (known.type !== written.type) return this.#refuse(path, `${name} is no ${written.type}: it is a ${known.type}`)
    if (provider.module.startsWith('chaosk8s.') && provider.secrets?.length) {
      return this.#refuse(
        [...path, 'secrets'],
        'is refused: they would lead to another cluster than your kubeconfig does',
      )
    }
    const lacks = known.lacks?.(this.values.configuration)
    if (lacks) return this.#refuse(path, `${name} has no address: ${lacks}`)
    const where = [...path, 'arguments']
    const given = new SourceDocument(
      this.#document.file,
      provider.arguments ?? {},
      (at, part) => this.#document.place(at, part),
      where,
    )
    const read = given.read(known.arguments, this.#problems)
    return read === undefined
      ? undefined
      : { type: 'mapped', function: name, arguments: read as Record<string, unknown> }
  }

  /** The configuration comes before the secrets that the activity asks for. */
  #valuesFor({ provider }: ActivitySource, path: Path): Values {
    const { configuration, secrets } = this.values
    const asked = (provider.secrets ?? []).map(scope => {
      if (!Object.hasOwn(secrets, scope))
        this.#refuse([...path, 'provider', 'secrets'], `there are no secrets "${scope}"`)
      return secrets[scope] ?? {}
    })
    return Object.assign({}, ...asked, configuration)
  }

  #ms(seconds: unknown, path: Path): number | undefined {
    if (seconds === undefined || seconds === null) return undefined
    const value = typeof seconds === 'string' && seconds.trim() !== '' ? Number(seconds) : seconds
    if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value * 1000
    return this.#refuse(path, 'expected a number of seconds')
  }

  #noteIdle(part: object, known: readonly string[], path: Path): void {
    for (const name of Object.keys(part).filter(each => !known.includes(each))) {
      this.notes.push(this.#document.problem([...path, name], 'does nothing here, as in the Chaos Toolkit'))
    }
  }

  #refuse(path: Path, words: string, hint?: string): undefined {
    this.#problems.push(this.#document.problem(path, words, hint))
  }
}

/** [connect, read] of Python's requests: ours is for both together. */
function httpTimeout(timeout: unknown): unknown {
  if (!Array.isArray(timeout)) return timeout
  return timeout.map(Number).reduce((sum, each) => sum + each, 0)
}

/** What of the same driver we do. */
function equals(module: string): string {
  const driver = `${module.split('.')[0]}.`
  const ours = [...mappedFunctions.keys()].filter(name => name.startsWith(driver))
  return ours.length > 0
    ? `of this driver we do ${ours.map(name => name.split('.').at(-1)).join(', ')}`
    : 'write it as a provider of type "process" or "http", or run this one with the Chaos Toolkit; nothing was started'
}

function texts(value: unknown): string[] {
  if (typeof value === 'object' && value !== null) return Object.values(value).flatMap(texts)
  return value === null || value === undefined || typeof value === 'boolean' ? [] : [String(value)]
}
