import { isPackageManager } from '../bystanders.ts'
import { firstOf, type SeenProcess } from './seen.ts'

/** Everything that was seen of the app, from its start to its end. */
export interface Examination {
  command: readonly string[]
  processes: SeenProcess[]
  /** By pid: what `/metrics` answered. */
  scrapes: ReadonlyMap<number, Scrape>
  waitMs: number
  graceMs: number
  end: AppEnd
}

export interface Scrape {
  url: string
  /** Samples on the page; none when it could not be read, and then `failure` says why. */
  samples: number
  failure?: string
}

export interface AppEnd {
  /** Whether it ended before the doctor asked it to. */
  byItself: boolean
  code: number | null
  signal: NodeJS.Signals | null
  /** Whether SIGTERM was not enough. */
  killed: boolean
  /** The last lines of its stderr. */
  lastWords: string
}

/** The processes that the SDK is for. */
export function appsOf(processes: readonly SeenProcess[]): SeenProcess[] {
  return processes.filter(one => firstOf(one, 'process') && !isPackageManager(firstOf(one, 'process')?.script))
}
