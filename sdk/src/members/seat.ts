import { isMainThread } from 'node:worker_threads'
import { nothingListens, type Readiness } from '../admin/readiness.ts'
import type { Family } from '../metrics/exposition.ts'
import { merge } from '../metrics/merge.ts'
import { ClusterSeat, isClusterWorker } from './cluster.ts'
import type { Members, Report } from './members.ts'
import { leadThreads, ThreadSeat } from './threads.ts'

export interface Own {
  collect(): Promise<Family[]>
  readiness: Readiness
  telemetry(): object
  /** For a thread: to let go of its requests, or only of its telemetry, when the process ends. */
  carryOut(request: 'drain' | 'flush'): Promise<void>
  /** For a worker of a cluster: to end as a signal would end it, which none may have told it. */
  end(): void
}

/**
 * The place of this thread in its process, and of the process in its cluster: it reports to whoever speaks for it, and
 * speaks for those that report to it.
 */
export class Seat {
  readonly #own: Own
  readonly #members: Members
  readonly #above: ClusterSeat | ThreadSeat | undefined
  readonly #name = isMainThread ? 'main' : 'thread'

  constructor(own: Own, members: Members) {
    this.#own = own
    this.#members = members
    const report = () => this.#report()
    if (!isMainThread) this.#above = new ThreadSeat(report, own.carryOut)
    else {
      leadThreads(members)
      if (isClusterWorker()) this.#above = new ClusterSeat(report, own.end)
    }
  }

  /** Whether it takes a while to know who speaks for it. */
  get waits(): boolean {
    return this.#above instanceof ClusterSeat
  }

  /** Whether another process or thread answers for this one. */
  get spokenFor(): Promise<boolean> {
    return this.#above instanceof ClusterSeat ? this.#above.welcome : Promise.resolve(this.#above !== undefined)
  }

  /** Of this process, all of its threads. */
  async collectProcess(): Promise<Family[]> {
    const [own] = await Promise.all([this.#own.collect(), this.#members.ask('report')])
    return this.#with(own, 'thread')
  }

  /** Of all that this process speaks for. */
  async collectAll(): Promise<Family[]> {
    const [own] = await Promise.all([this.#own.collect(), this.#members.ask('report')])
    return this.#with(this.#with(own, 'thread'), 'process')
  }

  /** Ready is who serves itself, or has a member that does. */
  async obstacles(): Promise<string[]> {
    const [own] = await Promise.all([this.#own.readiness.obstacles(), this.#members.ask('report')])
    const others = own.filter(one => one !== nothingListens)
    if (others.length > 0 || own.length === 0) return others
    const reports = [...this.#members.reports()]
    if (reports.some(([, report]) => report.obstacles.length === 0)) return []
    const theirs = reports.flatMap(([name, report]) => report.obstacles.map(obstacle => `${name}: ${obstacle}`))
    return theirs.length > 0 ? theirs : own
  }

  async telemetry(): Promise<object> {
    await this.#members.ask('report')
    const members = [...this.#members.reports()].map(([name, { telemetry }]) => [name, telemetry])
    return { ...this.#own.telemetry(), ...(members.length > 0 && { members: Object.fromEntries(members) }) }
  }

  /** The threads let go of their requests and their telemetry. */
  async drainThreads(withinMs: number): Promise<void> {
    await this.#members.ask('drain', withinMs)
  }

  /** The workers of the cluster, whom nobody else may have told, end with their primary: each in order, or not in time. */
  async endWorkers(withinMs: number): Promise<void> {
    await this.#members.ask('end', withinMs)
  }

  /** The threads send what waits, and whoever speaks for this one gets the last counts. */
  async flush(withinMs: number): Promise<void> {
    await this.#members.ask('flush', withinMs)
    await this.#above?.tell().catch(() => {})
  }

  #with(own: Family[], kind: 'process' | 'thread'): Family[] {
    const members = this.#members.families(kind)
    const name = kind === 'process' ? 'primary' : this.#name
    return members.length === 0 ? own : merge([{ name, families: own }, ...members])
  }

  async #report(): Promise<Report> {
    const [families, obstacles, telemetry] = await Promise.all([
      this.collectProcess(),
      this.obstacles(),
      this.telemetry(),
    ])
    return { families, obstacles, telemetry }
  }
}
