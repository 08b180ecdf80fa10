import { createRequire } from 'node:module'
import { createNoopMeter, type Meter, type MeterProvider, metrics, type TracerProvider } from '@opentelemetry/api'
import { otelMetric } from '../names.ts'
import type { MeasuredTracers } from './measured-tracers.ts'
import type { LibraryFile } from './modules.ts'

/** A library that one of OpenTelemetry's own instrumentations patches. */
interface Official {
  library: string
  majors: readonly number[]
  files: readonly string[]
  /** The instrumentation's package, after `@opentelemetry/instrumentation-`, and its class. */
  by: [string, string]
  database?: true
}

const table: readonly Official[] = [
  { library: 'pg', majors: [8], files: ['lib/client.js'], by: ['pg', 'PgInstrumentation'], database: true },
  { library: 'pg-pool', majors: [2, 3], files: ['index.js'], by: ['pg', 'PgInstrumentation'], database: true },
  {
    library: 'mysql2',
    majors: [2, 3],
    files: ['lib/connection.js'],
    by: ['mysql2', 'MySQL2Instrumentation'],
    database: true,
  },
  {
    library: 'mongodb',
    majors: [4, 5, 6, 7],
    files: ['lib/cmap/connection.js', 'lib/cmap/connection_pool.js', 'lib/cmap/connect.js', 'lib/sessions.js'],
    by: ['mongodb', 'MongoDBInstrumentation'],
    database: true,
  },
  {
    library: '@redis/client',
    majors: [1, 5, 6],
    files: [
      'dist/lib/commander.js',
      'dist/lib/client/multi-command.js',
      'dist/lib/client/index.js',
      'dist/lib/cluster/index.js',
      'dist/lib/cluster/multi-command.js',
    ],
    by: ['redis', 'RedisInstrumentation'],
    database: true,
  },
  {
    library: 'ioredis',
    majors: [4, 5, 6],
    files: ['built/index.js'],
    by: ['ioredis', 'IORedisInstrumentation'],
    database: true,
  },
  {
    library: 'kafkajs',
    majors: [2],
    files: ['index.js', 'src/producer/index.js', 'src/consumer/index.js'],
    by: ['kafkajs', 'KafkaJsInstrumentation'],
  },
  {
    library: 'amqplib',
    majors: [0, 1, 2],
    files: ['lib/channel_model.js', 'lib/callback_model.js', 'lib/connect.js'],
    by: ['amqplib', 'AmqplibInstrumentation'],
  },
  { library: '@grpc/grpc-js', majors: [1], files: ['build/src/index.js'], by: ['grpc', 'GrpcInstrumentation'] },
]

/** Databases, messaging and gRPC through OpenTelemetry's own instrumentations, each loaded when the app loads its library. */
export function official(tracers: MeasuredTracers): LibraryFile[] {
  const loaded = new Map<string, Definition[]>()
  return table.flatMap(({ library, majors, files, by: [name, exported], database }) =>
    files.map(file => ({
      library,
      file,
      majors,
      patch(module: unknown, version: string) {
        let definitions = loaded.get(name)
        if (!definitions) {
          definitions = load(name, exported, database ? tracers.withinTraces : tracers)
          loaded.set(name, definitions)
        }
        return patchOf(definitions, library, file, version)?.(module, version) ?? module
      },
    })),
  )
}

type Patch = (module: unknown, version: string) => unknown

/** What OpenTelemetry's instrumentations say of a module that they patch, or of one of its files. */
interface Patched {
  name: string
  supportedVersions: string[]
  patch?: Patch
}
interface Definition extends Patched {
  files: Patched[]
}

interface Instrumentation {
  getModuleDefinitions(): Definition[]
  setTracerProvider(provider: TracerProvider): void
  setMeterProvider(provider: MeterProvider): void
}

function load(name: string, exported: string, tracers: TracerProvider): Definition[] {
  const module = createRequire(import.meta.url)(`@opentelemetry/instrumentation-${name}`)
  // Not enabled: our module hook hands the files over, so that its own hooks are not needed.
  const instrumentation: Instrumentation = new module[exported]({ enabled: false, requireParentSpan: false })
  instrumentation.setTracerProvider(tracers)
  instrumentation.setMeterProvider({ getMeter: (...scope) => withoutOurs(metrics.getMeter(...scope)) })
  return instrumentation.getModuleDefinitions()
}

/** A file's own patch; else, for the file that a library's name leads to, the one of the whole. */
function patchOf(definitions: Definition[], library: string, file: string, version: string): Patch | undefined {
  const wholes = definitions.filter(one => one.name === library)
  if (wholes.length === 0) throw new Error(`its instrumentation does not know ${library}`)
  const own = wholes.flatMap(one => one.files).filter(one => one.name === `${library}/${file}`)
  const fitting = (own.length > 0 ? own : wholes).find(one =>
    one.supportedVersions.some(range => isWithin(range, version)),
  )
  return fitting?.patch
}

/** Ranges as the instrumentations write them: `^1.0.0`, `>=6.4.0 <8`. */
function isWithin(range: string, version: string): boolean {
  return range.split(' ').every(part => {
    const [, operator, given = ''] = /^(\^|>=|<)([\d.]+)$/.exec(part) ?? []
    const order = compare(version, given)
    if (operator === '^') return order >= 0 && version.split('.')[0] === given.split('.')[0]
    return operator === '<' ? order < 0 : operator === '>=' && order >= 0
  })
}

function compare(a: string, b: string): number {
  const [as, bs] = [a, b].map(text => text.split('.').map(part => Number.parseInt(part, 10) || 0))
  for (let at = 0; at < 3; at++) {
    const order = (as![at] ?? 0) - (bs![at] ?? 0)
    if (order !== 0) return order
  }
  return 0
}

const ours = new Set([
  ...Object.values(otelMetric).map(({ name }) => name),
  // As the durations' histograms count them already.
  'messaging.client.sent.messages',
  'messaging.client.consumed.messages',
])

/** What we measure from the spans, the instrumentation does not measure again; the rest, such as connections, it does. */
function withoutOurs(meter: Meter): Meter {
  const noop = createNoopMeter()
  const own: Meter = Object.create(meter)
  own.createHistogram = (name, options) => (ours.has(name) ? noop : meter).createHistogram(name, options)
  own.createCounter = (name, options) => (ours.has(name) ? noop : meter).createCounter(name, options)
  return own
}
