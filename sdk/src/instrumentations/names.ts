/** What can be switched off alone, as OpenTelemetry's instrumentations are called, without `@opentelemetry/instrumentation-`. */
export const instrumentationNames = [
  'http',
  'undici',
  'express',
  'fastify',
  'koa',
  'hapi',
  'hono',
  'pg',
  'mysql2',
  'mongodb',
  'redis',
  'ioredis',
  'kafkajs',
  'amqplib',
  'grpc',
  'pino',
  'winston',
] as const
export type InstrumentationName = (typeof instrumentationNames)[number]

/** Those of auto-instrumentations-node that the SDK has not: to switch one of them off is a wish that is granted already. */
export const absentInstrumentations: readonly string[] = [
  ...['aws-lambda', 'aws-sdk', 'bunyan', 'cassandra-driver', 'connect', 'cucumber', 'dataloader', 'dns', 'fs'],
  ...[
    'generic-pool',
    'graphql',
    'knex',
    'lru-memoizer',
    'memcached',
    'mongoose',
    'mysql',
    'nestjs-core',
    'net',
    'openai',
  ],
  ...['oracledb', 'restify', 'router', 'runtime-node', 'socket.io', 'tedious'],
]

const byLibrary: Readonly<Record<string, InstrumentationName>> = {
  router: 'express',
  '@hapi/hapi': 'hapi',
  'pg-pool': 'pg',
  '@redis/client': 'redis',
  '@grpc/grpc-js': 'grpc',
}

/** Undefined for a library that is always met. */
export function instrumentationOf(library: string): InstrumentationName | undefined {
  return byLibrary[library] ?? instrumentationNames.find(name => name === library)
}
