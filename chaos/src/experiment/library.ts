import { dirname, join, normalize } from 'node:path'
import {
  collectOpenSlo,
  expecting,
  InvalidInput,
  inOrder,
  type OpenSlo,
  openSloKinds,
  type Path,
  type Problem,
  parseDocuments,
  type SourceDocument,
  seen,
  suggestion,
} from '@shaketable/slo'
import { z } from 'zod'
import { experimentOf } from './experiment.ts'
import { type ExperimentDocument, experimentSchema } from './experiment-schema.ts'
import type { References } from './given.ts'
import type { Experiment, System } from './model.ts'
import { systemOf } from './system.ts'

/** Where files come from. `read` rejects when there is none. */
export interface FileSource {
  read(path: string): Promise<string>
}

/** Every kind of document that Shaketable reads. */
export const documentKinds = ['System', 'Experiment', ...openSloKinds] as const

/** A part of a document that names a file. */
interface Mention {
  document: SourceDocument
  path: Path
}

const headSchema = z.looseObject({
  apiVersion: z.string({ error: expecting('the version of the format, e.g. "shaketable.dev/v1alpha1"') }),
  kind: z.string({ error: expecting('the kind of the document, e.g. "Experiment"') }),
})

/**
 * The files of one command, each read once, and everything that is wrong with any of them. A system that two experiments
 * share is the same object in both.
 */
export class Library {
  readonly problems: Problem[] = []
  readonly #source: FileSource
  readonly #documents = new Map<string, SourceDocument[] | undefined>()
  readonly #systems = new Map<string, System | undefined>()
  readonly #objectives = new Map<string, { found: OpenSlo; sound: boolean }>()

  constructor(source: FileSource) {
    this.#source = source
  }

  /** The documents of a file; `undefined` when there is none or its YAML is broken. */
  async documents(file: string, mention?: Mention): Promise<SourceDocument[] | undefined> {
    if (this.#documents.has(file)) return this.#documents.get(file)
    let documents: SourceDocument[] | undefined
    try {
      const text = await this.#source.read(file)
      const before = this.problems.length
      documents = parseDocuments(text, file, this.problems)
      if (this.problems.length > before) documents = undefined
    } catch (error) {
      // Said at every place that names it, so that it is not remembered.
      const words = `${unreadable(error)}: looked at ${file}`
      if (mention) this.problems.push(mention.document.problem(mention.path, words))
      else this.problems.push({ file, line: 1, column: 1, message: words })
      return undefined
    }
    this.#documents.set(file, documents)
    return documents
  }

  /** Every experiment of a file that is sound. */
  async experiments(file: string): Promise<Experiment[]> {
    const found: Experiment[] = []
    for (const document of (await this.documents(file)) ?? []) {
      if (this.kindOf(document, ['Experiment']) === undefined) continue
      const experiment = await this.experiment(document)
      if (experiment) found.push(experiment)
    }
    return found
  }

  async experiment(document: SourceDocument): Promise<Experiment | undefined> {
    const content = document.read(experimentSchema, this.problems)
    if (!content) {
      await this.#readMentioned(document)
      return undefined
    }
    return experimentOf(document, content, await this.#references(document, content.spec), this.problems)
  }

  /** What is wrong with the files that a broken experiment names is said as well. */
  async #readMentioned(document: SourceDocument): Promise<void> {
    const mentioned = z
      .object({ spec: z.object({ system: z.string().catch(''), objectives: z.array(z.string()).catch([]) }) })
      .safeParse(document.value)
    if (!mentioned.success) return
    const { system, objectives } = mentioned.data.spec
    await this.#references(document, { system, objectives })
  }

  async #references(
    document: SourceDocument,
    spec: Pick<ExperimentDocument['spec'], 'system' | 'objectives'>,
  ): Promise<References> {
    const path = ['spec', 'system']
    const system = spec.system === '' ? undefined : await this.system(beside(document, spec.system), { document, path })
    const references: References = { system, objectives: [], objectivesComplete: true }
    for (const [index, name] of spec.objectives.entries()) {
      const mention = { document, path: ['spec', 'objectives', index] }
      if (spec.objectives.indexOf(name) < index) {
        this.problems.push(document.problem(mention.path, `"${name}" stands twice`))
        references.objectivesComplete = false
        continue
      }
      const objectives = await this.#openSlo(beside(document, name), mention)
      if (!objectives) references.objectivesComplete = false
      else references.objectives.push(...objectives.map(objective => ({ objective, index })))
    }
    return references
  }

  async system(file: string, mention?: Mention): Promise<System | undefined> {
    if (this.#systems.has(file)) return this.#systems.get(file)
    const documents = await this.documents(file, mention)
    if (!documents) return undefined
    if (mention && this.#isOfOtherKind(documents, ['System'], 'a System', mention)) return undefined
    const [document, second] = documents
    let system: System | undefined
    if (second) this.problems.push(second.problem([], 'expected one System in the file, saw a second document'))
    else if (document && this.kindOf(document, ['System'])) system = systemOf(document, this.problems)
    this.#systems.set(file, system)
    return system
  }

  async #openSlo(file: string, mention: Mention): Promise<OpenSlo['objectives'] | undefined> {
    let cached = this.#objectives.get(file)
    if (!cached) {
      const documents = await this.documents(file, mention)
      if (!documents || this.#isOfOtherKind(documents, openSloKinds, 'OpenSLO', mention)) return undefined
      const before = this.problems.length
      const found = collectOpenSlo(documents, this.problems)
      cached = { found, sound: this.problems.length === before }
      this.#objectives.set(file, cached)
    }
    if (!cached.sound) return undefined
    if (cached.found.objectives.length > 0) return cached.found.objectives
    this.problems.push(mention.document.problem(mention.path, `expected an SLO, saw none in ${file}`))
    return undefined
  }

  /** A sound file of another kind was named by mistake: the mistake is where it is named. */
  #isOfOtherKind(documents: SourceDocument[], wanted: readonly string[], words: string, mention: Mention): boolean {
    for (const document of documents) {
      const kind = (document.value as { kind?: unknown } | null)?.kind
      const known = documentKinds.find(each => each === kind)
      if (known === undefined || wanted.includes(known)) continue
      const message = `expected ${words}, saw the kind "${known}" in ${document.file}`
      this.problems.push(mention.document.problem(mention.path, message))
      return true
    }
    return false
  }

  /** The kind of the document when it is one of those expected; otherwise that is a problem. */
  kindOf<K extends string>(document: SourceDocument, expected: readonly K[]): K | undefined {
    const head = document.read(headSchema, this.problems)
    if (!head) return undefined
    const kind = expected.find(each => each === head.kind)
    if (kind === undefined) {
      const words =
        expected.length === 1
          ? `expected "${expected[0]}", saw ${seen(head.kind)}`
          : `unknown kind ${seen(head.kind)}; ${suggestion(head.kind, expected)}`
      this.problems.push(document.problem(['kind'], words))
    }
    return kind
  }

  /** Throws `InvalidInput` with every problem of every file, unless there is none. */
  settle(): void {
    if (this.problems.length > 0) throw new InvalidInput(inOrder(this.problems))
  }
}

function beside(document: SourceDocument, path: string): string {
  return path.startsWith('/') ? normalize(path) : join(dirname(document.file), path)
}

function unreadable(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such file'
  if (code === 'EISDIR') return 'this is a folder, expected a file'
  if (code === 'EACCES' || code === 'EPERM') return 'the file may not be read'
  return `the file cannot be read (${code ?? (error instanceof Error ? error.message : String(error))})`
}
