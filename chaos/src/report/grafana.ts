import type { Experiment } from '../experiment/model.ts'
import type { Clock } from '../world.ts'
import type { ExperimentReport } from './model.ts'
import type { LiveState, LiveView } from './reporter.ts'

const timeoutMs = 5000

interface Annotation {
  time: number
  timeEnd?: number
  tags: string[]
  text: string
}

/**
 * Marks every experiment and every fault as a region in Grafana (`POST /api/annotations` when it begins, `PATCH` when it ends), so
 * that any dashboard shows it that asks for the tag `shaketable`. What Grafana does not take is said once, and changes nothing.
 */
export class GrafanaAnnotations implements LiveView {
  readonly #base: string
  readonly #headers: Record<string, string>
  readonly #clock: Clock
  readonly #trouble: (words: string) => void
  /** What is open, by its name: the id that Grafana gave it, once it has. */
  readonly #open = new Map<string, { id: Promise<number | undefined>; annotation: Annotation }>()
  readonly #underWay = new Set<Promise<unknown>>()
  #experiment: Experiment | undefined
  #told = false

  constructor(to: { url: string; token: string | undefined }, clock: Clock, trouble: (words: string) => void) {
    this.#base = to.url.replace(/\/+$/, '')
    this.#headers = { 'content-type': 'application/json', ...(to.token ? { authorization: `Bearer ${to.token}` } : {}) }
    this.#clock = clock
    this.#trouble = trouble
  }

  conducts(experiment: Experiment): void {
    this.#experiment = experiment
    this.#begin('experiment', experiment.title)
  }

  tick({ armedIds }: LiveState): void {
    for (const { id, kind, service } of this.#experiment?.faults ?? []) {
      const name = `fault ${id}`
      if (armedIds.includes(id) && !this.#open.has(name)) this.#begin(name, `${kind} on ${service}`, [`fault:${id}`])
      if (!armedIds.includes(id)) this.#end(name)
    }
  }

  experimentEnds({ verdict, title, reasons }: ExperimentReport): void {
    for (const name of [...this.#open.keys()].filter(name => name !== 'experiment')) this.#end(name)
    this.#end('experiment', [`${title}: ${verdict}`, ...reasons].join('\n'), [`verdict:${verdict}`])
  }

  /** Resolves once Grafana has answered all. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay)
  }

  #begin(name: string, text: string, tags: string[] = []): void {
    const { name: experiment = '', system } = this.#experiment ?? {}
    const all = ['shaketable', `system:${system?.name ?? ''}`, `experiment:${experiment}`, ...tags]
    const annotation = { time: Math.round(this.#clock.wall()), tags: all, text }
    const id = this.#send('POST', '/api/annotations', annotation).then(answer => answer?.id)
    this.#open.set(name, { id, annotation })
  }

  #end(name: string, text?: string, tags: string[] = []): void {
    const open = this.#open.get(name)
    if (!open) return
    this.#open.delete(name)
    const timeEnd = Math.round(this.#clock.wall())
    const { annotation } = open
    const change = { timeEnd, ...(text === undefined ? {} : { text }), tags: [...annotation.tags, ...tags] }
    this.#follow(
      open.id.then(id => (id === undefined ? undefined : this.#send('PATCH', `/api/annotations/${id}`, change))),
    )
  }

  #send(method: string, path: string, body: object): Promise<{ id?: number } | undefined> {
    const sent = fetch(`${this.#base}${path}`, {
      method,
      headers: this.#headers,
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    })
      .then(async response => {
        if (!response.ok) throw new Error(`answered ${response.status}`)
        return (await response.json()) as { id?: number }
      })
      .catch(error => {
        if (!this.#told)
          this.#trouble(`Grafana does not take annotations: ${method} ${path}: ${(error as Error).message}`)
        this.#told = true
        return undefined
      })
    return this.#follow(sent)
  }

  #follow<T>(work: Promise<T>): Promise<T> {
    this.#underWay.add(work)
    return work.finally(() => this.#underWay.delete(work))
  }
}
