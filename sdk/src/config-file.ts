import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Document, Node, ParsedNode } from 'yaml'
import type { Environment, Places } from './environment.ts'
import type { Notice } from './notice.ts'

/** A declarative configuration, as the settings that say the same. */
export interface ConfigFile {
  settings: Environment
  /** `otel.yaml:12:7: schedule_delay`, by the name of the setting. */
  places: Places
  /** The variables that the file refers to. */
  references: ReadonlySet<string>
}

/** Reads one value of the file: into settings, or with a refusal. */
type Take = (file: Reading, node: Node | null, key: string) => unknown

/**
 * OpenTelemetry's declarative configuration (`OTEL_CONFIG_FILE`, `file_format` 1): every entry becomes the setting whose
 * variable means the same, and what has none is refused with its place. Undefined when the file cannot be used at all.
 */
export function readConfigFile(path: string, env: Environment, notice: Notice): ConfigFile | undefined {
  const unusable = (reason: string) => void notice(`${reason}; the OTEL_* variables stand`)
  // Loaded only for those who have such a file.
  const yaml = createRequire(import.meta.url)('yaml') as typeof import('yaml')
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    return unusable(`OTEL_CONFIG_FILE=${path} cannot be read: ${(error as NodeJS.ErrnoException).code}`)
  }
  const lines = new yaml.LineCounter()
  const document = yaml.parseDocument(text, { version: '1.2', lineCounter: lines, prettyErrors: false })
  const placeOf = (offset: number) => {
    const { line, col } = lines.linePos(offset)
    return `${path}:${line}:${col}`
  }
  const [broken] = document.errors
  if (broken) return unusable(`${placeOf(broken.pos[0])}: ${broken.message}`)
  if (!yaml.isMap(document.contents)) return unusable(`${path}:1:1: expected a mapping that begins with file_format`)
  const format = document.contents.get('file_format')
  if (!/^1\.\d+(-.*)?$/.test(String(format))) return unusable(`${path}:1:1: file_format is ${format}, expected "1.0"`)
  const file = new Reading(yaml, document, placeOf, env, notice)
  // What a file does not mention does not exist, unlike a variable that is not set.
  for (const name of ['TRACES_EXPORTER', 'METRICS_EXPORTER', 'PROPAGATORS', 'NODE_RESOURCE_DETECTORS'])
    file.settings[`OTEL_${name}`] = 'none'
  whole(file, document.contents, '')
  const { settings, places, references } = file
  return { settings, places, references }
}

class Reading {
  readonly settings: Record<string, string> = {}
  readonly places = new Map<string, string>()
  readonly references = new Set<string>()
  readonly yaml: typeof import('yaml')
  readonly #document: Document<ParsedNode>
  readonly #placeOf: (offset: number) => string
  readonly #env: Environment
  readonly #notice: Notice

  constructor(
    yaml: typeof import('yaml'),
    document: Document<ParsedNode>,
    placeOf: (offset: number) => string,
    env: Environment,
    notice: Notice,
  ) {
    this.yaml = yaml
    this.#document = document
    this.#placeOf = placeOf
    this.#env = env
    this.#notice = notice
  }

  refuse(node: Node | null, key: string, reason: string): void {
    this.#notice(`${this.#placeOf(node?.range?.[0] ?? 0)}: ${key}: ${reason}`)
  }

  set(name: string, value: string, node: Node | null, key: string): void {
    this.settings[name] = value
    this.places.set(name, `${this.#placeOf(node?.range?.[0] ?? 0)}: ${key}`)
  }

  append(name: string, value: string, node: Node | null, key: string): void {
    const before = this.settings[name]
    this.set(name, before && before !== 'none' ? `${before},${value}` : value, node, key)
  }

  /** A scalar with its references to the environment filled in; undefined for null, and for what is refused. */
  text(given: Node | null | undefined, key: string): string | undefined {
    const node = this.resolve(given ?? null)
    if (node === null || (this.yaml.isScalar(node) && node.value === null)) return undefined
    if (this.yaml.isScalar(node)) return this.#substitute(String(node.value), node, key)
    this.refuse(node, key, 'expected a single value')
    return undefined
  }

  resolve(node: Node | null): Node | null {
    return this.yaml.isAlias(node) ? (node.resolve(this.#document) ?? null) : node
  }

  #substitute(text: string, node: Node, key: string): string {
    return text.replace(/\$\$|\$\{([^}]*)\}/g, (whole, reference?: string) => {
      if (reference === undefined) return '$'
      const match = /^(?:env:)?([A-Za-z_]\w*)(?::-(.*))?$/.exec(reference)
      if (match) {
        this.references.add(match[1]!)
        return this.#env[match[1]!] || (match[2] ?? '')
      }
      this.refuse(node, key, `${whole} is no reference to a variable, expected \${NAME} or \${NAME:-default}`)
      return whole
    })
  }
}

const to =
  (name: string, translate: (text: string) => string = text => text): Take =>
  (file, node, key) => {
    const text = file.text(node, key)
    if (text !== undefined) file.set(name, translate(text), node, key)
  }

const refused =
  (reason: string): Take =>
  (file, node, key) =>
    file.refuse(node, key, `is not supported and is ignored: ${reason}`)

const map =
  (entries: Record<string, Take>): Take =>
  (file, given, path) => {
    const node = file.resolve(given)
    if (node === null || (file.yaml.isScalar(node) && node.value === null)) return
    if (!file.yaml.isMap(node)) return file.refuse(node, path, 'expected a mapping')
    for (const { key, value } of node.items) {
      const name = String(file.yaml.isScalar(key) ? key.value : key)
      const take = Object.hasOwn(entries, name) ? entries[name] : undefined
      if (take) take(file, (value as Node | null) ?? (key as Node), name)
      else
        file.refuse(key as Node, name, `is not supported and is ignored, expected ${Object.keys(entries).join(', ')}`)
    }
  }

const list =
  (each: Take): Take =>
  (file, given, key) => {
    const node = file.resolve(given)
    if (!file.yaml.isSeq(node)) return file.refuse(node, key, 'expected a list')
    for (const item of node.items) each(file, item as Node, key)
  }

/** The first one only. */
const single =
  (each: Take): Take =>
  (file, given, key) => {
    const node = file.resolve(given)
    if (!file.yaml.isSeq(node)) return file.refuse(node, key, 'expected a list')
    const [first, ...others] = node.items as Node[]
    if (first) each(file, first, key)
    for (const other of others) file.refuse(other, key, 'is ignored: there is one exporter of each signal')
  }

/** `always_on:` and its like, which are there or not. */
const named =
  (name: string, value: string): Take =>
  (file, node, key) =>
    file.append(name, value, node, key)

const both =
  (...takes: Take[]): Take =>
  (file, node, key) => {
    for (const take of takes) take(file, node, key)
  }

/** `[{ name, value }]` as `name=value,…`. */
const pairs =
  (variable: string): Take =>
  (file, given, key) =>
    list((_file, item) => {
      const pair = { name: '', value: undefined as string | undefined }
      map({
        name: (_, node) => (pair.name = file.text(node, 'name') ?? ''),
        value: (_, node) => (pair.value = file.text(node, 'value')),
        type(_, node) {
          const type = file.text(node, 'type')
          if (type !== undefined && type !== 'string')
            file.refuse(node, 'type', 'expected string, the only one there is')
        },
      })(file, item, key)
      const { name, value } = pair
      if (!name) file.refuse(item, key, 'expected a name')
      else if (value !== undefined) {
        file.append(variable, `${encodeURIComponent(name)}=${encodeURIComponent(value)}`, item, key)
      }
    })(file, given, key)

const otlp = (signal: 'TRACES' | 'METRICS' | 'LOGS', more: Record<string, Take> = {}) => {
  const own = (setting: string) => `OTEL_EXPORTER_OTLP_${signal}_${setting}`
  const shared = {
    endpoint: to(own('ENDPOINT')),
    headers: pairs(own('HEADERS')),
    headers_list: to(own('HEADERS')),
    compression: to(own('COMPRESSION')),
    timeout: to(own('TIMEOUT')),
    ...more,
  }
  const tls = {
    ca_file: to(own('CERTIFICATE')),
    key_file: to(own('CLIENT_KEY')),
    cert_file: to(own('CLIENT_CERTIFICATE')),
  }
  const chosen = named(`OTEL_${signal}_EXPORTER`, 'otlp')
  const encoding = to(own('PROTOCOL'), text => `http/${text}`)
  return {
    otlp_http: both(chosen, map({ ...shared, encoding, tls: map(tls) })),
    otlp_grpc: both(
      chosen,
      (file, node, key) => file.set(own('PROTOCOL'), 'grpc', node, key),
      map({ ...shared, tls: map({ ...tls, insecure: to(own('INSECURE')) }) }),
    ),
    console: named(`OTEL_${signal}_EXPORTER`, 'console'),
  }
}

const spanExporter = map(otlp('TRACES'))
// stdout is where the log is in any case.
const { otlp_http, otlp_grpc } = otlp('LOGS')
const logExporter = map({ otlp_http, otlp_grpc, console: () => {} })
const metricExporter = map(
  otlp('METRICS', {
    temporality_preference: to('OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE'),
    default_histogram_aggregation: to('OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION'),
  }),
)
const ratio = { ratio: to('OTEL_TRACES_SAMPLER_ARG') }
const samplerIs =
  (name: string): Take =>
  (file, node, key) =>
    file.set('OTEL_TRACES_SAMPLER', name, node, key)
const fixed = refused('a parent is always followed')
const propagators = Object.fromEntries(
  ['tracecontext', 'baggage', 'b3', 'b3multi'].map(name => [name, named('OTEL_PROPAGATORS', name)]),
)
const detectors = Object.fromEntries(
  ['container', 'host', 'process', 'service'].map(name => [
    name,
    named('OTEL_NODE_RESOURCE_DETECTORS', name === 'service' ? 'serviceinstance' : name),
  ]),
)

/** `debug3` and its like, as the levels that JavaScript has. */
function logLevel(severity: string): string {
  const name = severity.replace(/\d$/, '')
  return name === 'trace' ? 'verbose' : name === 'fatal' ? 'error' : name
}

const whole = map({
  file_format: () => {},
  disabled: to('OTEL_SDK_DISABLED'),
  log_level: to('OTEL_LOG_LEVEL', logLevel),
  attribute_limits: map({
    attribute_count_limit: to('OTEL_ATTRIBUTE_COUNT_LIMIT'),
    attribute_value_length_limit: to('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
  }),
  resource: map({
    attributes: pairs('OTEL_RESOURCE_ATTRIBUTES'),
    attributes_list: (file, node, key) => {
      const text = file.text(node, key)
      if (text) file.append('OTEL_RESOURCE_ATTRIBUTES', text, node, key)
    },
    'detection/development': map({ detectors: list(map(detectors)) }),
  }),
  propagator: map({ composite: list(map(propagators)), composite_list: to('OTEL_PROPAGATORS') }),
  tracer_provider: map({
    processors: single(
      map({
        batch: map({
          schedule_delay: to('OTEL_BSP_SCHEDULE_DELAY'),
          export_timeout: to('OTEL_BSP_EXPORT_TIMEOUT'),
          max_queue_size: to('OTEL_BSP_MAX_QUEUE_SIZE'),
          max_export_batch_size: to('OTEL_BSP_MAX_EXPORT_BATCH_SIZE'),
          exporter: spanExporter,
        }),
        simple: map({ exporter: spanExporter }),
      }),
    ),
    limits: map({
      attribute_count_limit: to('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT'),
      attribute_value_length_limit: to('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
      event_count_limit: to('OTEL_SPAN_EVENT_COUNT_LIMIT'),
      event_attribute_count_limit: to('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT'),
      link_count_limit: to('OTEL_SPAN_LINK_COUNT_LIMIT'),
      link_attribute_count_limit: to('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT'),
    }),
    sampler: map({
      always_on: samplerIs('always_on'),
      always_off: samplerIs('always_off'),
      trace_id_ratio_based: both(samplerIs('traceidratio'), map(ratio)),
      errors_and_slow: both(samplerIs('errors_and_slow'), map(ratio)),
      parent_based: map({
        root: map({
          always_on: samplerIs('parentbased_always_on'),
          always_off: samplerIs('parentbased_always_off'),
          trace_id_ratio_based: both(samplerIs('parentbased_traceidratio'), map(ratio)),
        }),
        remote_parent_sampled: fixed,
        remote_parent_not_sampled: fixed,
        local_parent_sampled: fixed,
        local_parent_not_sampled: fixed,
      }),
    }),
  }),
  meter_provider: map({
    readers: list(
      map({
        periodic: map({
          interval: to('OTEL_METRIC_EXPORT_INTERVAL'),
          timeout: to('OTEL_METRIC_EXPORT_TIMEOUT'),
          exporter: metricExporter,
        }),
        pull: map({
          exporter: map({
            'prometheus/development': both(
              named('OTEL_METRICS_EXPORTER', 'prometheus'),
              map({ host: to('OTEL_EXPORTER_PROMETHEUS_HOST'), port: to('OTEL_EXPORTER_PROMETHEUS_PORT') }),
            ),
          }),
        }),
      }),
    ),
    exemplar_filter: to('OTEL_METRICS_EXEMPLAR_FILTER'),
  }),
  logger_provider: map({
    processors: single(
      map({
        batch: map({
          schedule_delay: to('OTEL_BLRP_SCHEDULE_DELAY'),
          export_timeout: to('OTEL_BLRP_EXPORT_TIMEOUT'),
          max_queue_size: to('OTEL_BLRP_MAX_QUEUE_SIZE'),
          max_export_batch_size: to('OTEL_BLRP_MAX_EXPORT_BATCH_SIZE'),
          exporter: logExporter,
        }),
        simple: map({ exporter: logExporter }),
      }),
    ),
    limits: map({
      attribute_count_limit: to('OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT'),
      attribute_value_length_limit: to('OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT'),
    }),
  }),
  'instrumentation/development': refused('the stable conventions are all there is'),
})
