import { type FileSource, Library } from './library.ts'
import type { Experiment } from './model.ts'

export type { FileSource } from './library.ts'

/**
 * Reads experiment files, with the system and the objectives that each names (relative to its own file). Throws
 * `InvalidInput` with everything that is wrong with any of them, each with file:line:column. A system's `dir` is as
 * absolute as the paths that are given.
 */
export async function readExperiments(files: readonly string[], io: FileSource): Promise<Experiment[]> {
  const library = new Library(io)
  const experiments: Experiment[] = []
  for (const file of new Set(files)) {
    for (const experiment of await library.experiments(file)) {
      const twin = experiments.find(each => each.name === experiment.name)
      if (twin) {
        const message = `the experiment "${experiment.name}" stands in ${twin.place.file} as well: names are unique`
        library.problems.push({ ...experiment.place, message })
      }
      experiments.push(experiment)
    }
  }
  library.settle()
  return experiments
}
