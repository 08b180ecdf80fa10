import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { installedContenders } from './installed.ts'

/** One way to run the same app. */
export interface Contender {
  name: string
  title: string
  /** Arguments of node. Called when the contender takes part, for some have to be installed first. */
  command(): string[]
  env?: Record<string, string>
  /** Where it must send traces to: a stack that exports nothing would win the race for nothing. Undefined: it must send none. */
  sendsTo?: string
}

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url))
const app = file('app/server.cjs')
/** The built package, as its users have it: stripping types would count as its start-up and memory. */
const register = file('../dist/register.js')
const heavy = (specifier: string) => [
  '--require',
  createRequire(`${installedContenders()}/package.json`).resolve(specifier),
  app,
]
/** Their detectors of clouds wait for seconds where there is none. */
const detectors = { OTEL_NODE_RESOURCE_DETECTORS: 'env,host,os,process' }

export const bare = 'bare'
/** What the overheads of all others are a share of. */
export const references = ['hand', 'tuned'] as const

export const contenders: readonly Contender[] = [
  { name: bare, title: 'bare Express 5', command: () => [app] },
  {
    name: 'disabled',
    title: '@shaketable/sdk, `OTEL_SDK_DISABLED=true`',
    command: () => ['--import', register, app],
    env: { OTEL_SDK_DISABLED: 'true' },
  },
  {
    name: 'ours',
    title: '**@shaketable/sdk, all signals**',
    command: () => ['--import', register, app],
    sendsTo: '/ours/v1/traces',
  },
  {
    name: 'tuned',
    title: 'assembled by hand, tuned',
    command: () => [file('app/hand-assembled.cjs')],
    env: { TUNED: 'yes', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' },
    sendsTo: '/tuned/v1/traces',
  },
  {
    name: 'hand',
    title: 'assembled by hand',
    command: () => [file('app/hand-assembled.cjs')],
    sendsTo: '/hand/v1/traces',
  },
  {
    name: 'auto',
    title: 'auto-instrumentations-node',
    command: () => heavy('@opentelemetry/auto-instrumentations-node/register'),
    env: detectors,
    sendsTo: '/auto/v1/traces',
  },
  {
    name: 'edot',
    title: 'Elastic EDOT',
    command: () => heavy('@elastic/opentelemetry-node'),
    env: detectors,
    sendsTo: '/edot/v1/traces',
  },
  { name: 'dd-trace', title: 'dd-trace', command: () => heavy('dd-trace/init'), sendsTo: '/v0.4/traces' },
]
