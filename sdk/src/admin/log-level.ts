import type { IncomingMessage } from 'node:http'
import { type LogLevel, type LogLevels, logLevels } from '../logs/levels.ts'
import { variable } from '../names.ts'
import { keyCheck } from './key.ts'

export interface Reply {
  status: number
  body: string
}

const usualSeconds = 600
const longestSeconds = 86_400

/**
 * `PUT /loglevel?level=debug&seconds=600` sets every logger of the process for that long, `DELETE` ends it, `GET` tells.
 * All three need the key: without one nobody may, and the listener says so.
 */
export class LogLevelControl {
  readonly #levels: LogLevels
  readonly #isKey: (authorization: string | undefined) => boolean

  constructor(levels: LogLevels, key: string) {
    this.#levels = levels
    this.#isKey = keyCheck(key)
  }

  answer(request: IncomingMessage): Reply {
    if (!this.#isKey(request.headers.authorization))
      return { status: 401, body: `authorization: Bearer, with the key of ${variable.adminKey}, is needed\n` }
    if (request.method === 'PUT') return this.#put(new URL(request.url ?? '/', 'http://service').searchParams)
    if (request.method === 'DELETE') this.#levels.restore()
    else if (request.method !== 'GET') return { status: 405, body: 'GET, PUT or DELETE\n' }
    return this.#tell()
  }

  #put(query: URLSearchParams): Reply {
    const level = logLevels.find(each => each === query.get('level'))
    const seconds = Number(query.get('seconds') ?? usualSeconds)
    if (!level) return { status: 400, body: `level=${query.get('level') ?? ''}: expected ${logLevels.join(', ')}\n` }
    if (!(seconds > 0 && seconds <= longestSeconds))
      return { status: 400, body: `seconds=${query.get('seconds')}: expected more than 0, at most ${longestSeconds}\n` }
    return this.#tell(this.#levels.set(level satisfies LogLevel, seconds * 1_000))
  }

  #tell(loggers?: number): Reply {
    const { level, remainingMs } = this.#levels.state
    const seconds = Math.ceil(remainingMs / 1_000)
    return { status: 200, body: `${JSON.stringify({ level, seconds, loggers })}\n` }
  }
}

export const withoutKey: Reply = { status: 403, body: `set ${variable.adminKey} to change log levels here\n` }
