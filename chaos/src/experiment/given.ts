import type { Objective } from '@shaketable/slo'
import type { ExperimentDocument } from './experiment-schema.ts'
import type { System } from './model.ts'

// What every check of an experiment is given.

export type Spec = ExperimentDocument['spec']

/** What an experiment refers to, as far as it could be read. */
export interface References {
  system: System | undefined
  /** With the index of the file in `spec.objectives` that each comes from. */
  objectives: { objective: Objective; index: number }[]
  /** Every file in `spec.objectives` could be read. */
  objectivesComplete: boolean
}

/** Tells what is wrong at a place of the document's `spec`. */
export type Report = (path: PropertyKey[], message: string, hint?: string) => void

/** Objectives by their names; what is wrong with a name is reported. */
export type Find = (names: string[], path: PropertyKey[]) => Objective[]
