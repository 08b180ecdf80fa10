import type { Place } from '@shaketable/slo'

/** An experiment of the Chaos Toolkit, read and found to be one that we can run. */
export interface ToolkitExperiment {
  file: string
  title: string
  description: string
  tags: string[]
  hypothesis: { title: string; probes: Activity[] } | undefined
  method: Activity[]
  rollbacks: Activity[]
  hypothesisStrategy: HypothesisStrategy
  rollbackStrategy: RollbackStrategy
  /** How long a continuous hypothesis waits from one look to the next. */
  everyMs: number
  configuration: Record<string, unknown>
  /** By scope, as activities name them. */
  secrets: Record<string, Record<string, unknown>>
  /** As it stands in the file, for the journal. */
  source: Record<string, unknown>
}

export const hypothesisStrategies = [
  'default',
  'before-method-only',
  'after-method-only',
  'during-method-only',
  'continuously',
] as const
export type HypothesisStrategy = (typeof hypothesisStrategies)[number]

export const rollbackStrategies = ['default', 'always', 'never', 'deviated'] as const
export type RollbackStrategy = (typeof rollbackStrategies)[number]

export interface Activity {
  name: string
  type: 'probe' | 'action'
  background: boolean
  pauseBeforeMs: number
  pauseAfterMs: number
  provider: Provider
  /** `undefined` for an action, and for a probe that only looks. */
  tolerance: Tolerance | undefined
  place: Place
  /** As it stands in the file, for the journal. */
  source: Record<string, unknown>
}

export type Provider = HttpProvider | ProcessProvider | MappedProvider

export interface HttpProvider {
  type: 'http'
  url: string
  method: string
  headers: Record<string, string>
  /** The query of a GET, the body of everything else. */
  arguments: unknown
  timeoutMs: number
}

export interface ProcessProvider {
  type: 'process'
  path: string
  args: string[]
  timeoutMs: number | undefined
}

/** A function of a well-known driver, done by us. */
export interface MappedProvider {
  type: 'mapped'
  /** `chaostoxi.toxic.actions.create_toxic` */
  function: string
  arguments: Record<string, unknown>
}

export type Tolerance =
  | { type: 'equals'; value: unknown }
  | { type: 'one-of'; values: unknown[] }
  | { type: 'regex'; pattern: string; target: string | undefined }
  | { type: 'range'; from: number; to: number; target: string | undefined }
  | {
      type: 'jsonpath'
      path: string
      count: number | undefined
      expect: unknown[] | undefined
      target: string | undefined
    }
