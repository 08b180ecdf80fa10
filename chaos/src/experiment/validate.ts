import {
  collectOpenSlo,
  formatDuration,
  formatPercentage,
  inOrder,
  type Problem,
  type SourceDocument,
  trafficWarnings,
} from '@shaketable/slo'
import { documentKinds, type FileSource, Library } from './library.ts'

/** What `shaketable validate` found: one line for every document that is sound, and every problem of the others. */
export interface Validation {
  /** e.g. `experiments/slow.yaml: Experiment "slow": 25s at 60/s, 1 fault`. */
  summaries: string[]
  /** What is sound and may not do what it is for: objectives with less traffic than they need. */
  warnings: Problem[]
  problems: Problem[]
}

/** Reads files of any kind (System, Experiment, OpenSLO v1) and everything that they name. Never throws for bad input. */
export async function validateFiles(files: readonly string[], io: FileSource): Promise<Validation> {
  const library = new Library(io)
  const summaries: string[] = []
  const warnings: Problem[] = []
  for (const file of new Set(files)) {
    const documents = await library.documents(file)
    if (!documents) continue
    const openSlo: SourceDocument[] = []
    for (const document of documents) {
      // A list is how OpenSLO puts several objects into one document.
      if (Array.isArray(document.value)) {
        openSlo.push(document)
        continue
      }
      const kind = library.kindOf(document, documentKinds)
      if (kind === undefined) continue
      if (kind === 'System') {
        const system = await library.system(file)
        if (!system) continue
        const { name, services, journeys } = system
        summaries.push(`${file}: System "${name}": ${many(services, 'service')}, ${many(journeys, 'journey')}`)
      } else if (kind === 'Experiment') {
        const experiment = await library.experiment(document)
        if (!experiment) continue
        const { baselineMs, faultMs, recoveryMs } = experiment.phases
        const rate = experiment.load.reduce((sum, load) => sum + load.ratePerSecond, 0)
        const length = formatDuration(baselineMs + faultMs + recoveryMs)
        const load = `${length} at ${Number(rate.toPrecision(4))}/s`
        summaries.push(`${file}: Experiment "${experiment.name}": ${load}, ${many(experiment.faults, 'fault')}`)
      } else openSlo.push(document)
    }
    if (openSlo.length === 0) continue
    const before = library.problems.length
    const { objectives, kinds: found } = collectOpenSlo(openSlo, library.problems)
    if (library.problems.length > before) continue
    warnings.push(...trafficWarnings(objectives))
    for (const { name, target, windowMs } of objectives) {
      summaries.push(`${file}: SLO "${name}": ${formatPercentage(target)} over ${formatDuration(windowMs)}`)
    }
    for (const [kind, count] of Object.entries(found)) {
      if (kind !== 'SLO') summaries.push(`${file}: ${count} ${kind}`)
    }
  }
  return { summaries, warnings, problems: inOrder(library.problems) }
}

function many(list: readonly unknown[], noun: string): string {
  return `${list.length} ${noun}${list.length === 1 ? '' : 's'}`
}
