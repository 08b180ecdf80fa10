import { z } from 'zod'
import { inOrder, parseDocuments, type SourceDocument } from './document.ts'
import { InvalidInput, type Problem } from './error.ts'
import { pyrraObjective, pyrraVersion } from './import-pyrra.ts'
import { slothObjectives, slothVersion } from './import-sloth.ts'
import type { Objective } from './objective.ts'
import { seen } from './yaml-issues.ts'

/** What the files of other tools leave to be said. */
export interface ImportOptions {
  /** The window of Sloth's objectives, which is a flag of its command; 30 days where not given. */
  windowMs?: number
  /** The service of Pyrra's objectives; where not given, the `job` that their total selects. */
  service?: string
}

/** The objectives of a file of another tool. */
export interface Imported {
  objectives: Objective[]
  /** What has no place in an objective and changes neither what it counts nor when it alerts, each with its place. */
  notes: Problem[]
}

/** What a reader of another tool's document gets, and where it puts what it finds. */
export interface ImportContext {
  document: SourceDocument
  options: ImportOptions
  problems: Problem[]
  notes: Problem[]
}

const headSchema = z.looseObject({
  version: z.unknown().optional(),
  apiVersion: z.unknown().optional(),
  kind: z.unknown().optional(),
})

/**
 * Objectives from Sloth's `prometheus/v1` and Pyrra's `ServiceLevelObjective`; `writeOpenSlo` writes them down. Throws
 * `InvalidInput` with everything that cannot be carried over.
 */
export function importObjectives(text: string, file: string, options: ImportOptions = {}): Imported {
  const problems: Problem[] = []
  const notes: Problem[] = []
  const objectives = parseDocuments(text, file, problems).flatMap(document =>
    read({ document, options, problems, notes }),
  )
  const named = new Set<string>()
  for (const { name, place } of objectives) {
    if (named.has(name)) problems.push({ ...place, message: `another objective is named "${name}" already` })
    named.add(name)
  }
  if (objectives.length === 0 && problems.length === 0) {
    problems.push({ file, line: 1, column: 1, message: 'expected an objective, saw none in this file' })
  }
  if (problems.length > 0) throw new InvalidInput(inOrder(problems))
  return { objectives, notes: inOrder(notes) }
}

function read(context: ImportContext): Objective[] {
  const { document, problems } = context
  const head = document.read(headSchema, problems)
  if (!head) return []
  if (head.version === slothVersion) return slothObjectives(context)
  if (head.apiVersion === pyrraVersion && head.kind === 'ServiceLevelObjective') return pyrraObjective(context)
  const field = head.version === undefined ? 'apiVersion' : 'version'
  const words = `expected "version: ${slothVersion}" (Sloth) or "apiVersion: ${pyrraVersion}" with "kind: ServiceLevelObjective" (Pyrra), saw ${
    head.version === undefined && head.kind !== undefined
      ? `${seen(head.apiVersion)} with the kind ${seen(head.kind)}`
      : seen(head[field])
  }`
  problems.push({ ...document.place([field]), message: words })
  return []
}
