import type { Leveled, LogLevels } from '../logs/levels.ts'
import type { LogLines } from '../logs/lines.ts'
import type { LibraryFile } from './modules.ts'

/** Where winston's formats leave the finished line. */
const finished = Symbol.for('message')

const plainLevel = Symbol.for('level')

type Info = Record<string | symbol, unknown>

interface Logger extends Leveled {
  configure(...given: unknown[]): void
  write(info: Info, ...more: unknown[]): unknown
  push(info: Info | null, ...more: unknown[]): unknown
}

/** Every record of every winston logger gets its ids before its formats run, so that each of them can show them. */
export const winston = (lines: LogLines, levels: LogLevels | undefined): LibraryFile => ({
  library: 'winston',
  file: 'lib/winston/logger.js',
  majors: [3],
  patch(exported) {
    const { prototype } = exported as { prototype: Logger }
    const { write, push, configure } = prototype
    if (!write || !push || !configure) throw new Error('Logger.prototype.write, push or configure is not there')
    prototype.write = function (info, ...more) {
      const record = typeof info === 'object' && info !== null
      return write.call(this, record ? lines.members(info) : info, ...more)
    }
    prototype.push = function (info, ...more) {
      const line = info?.[finished]
      if (typeof line === 'string') info![finished] = lines.written(line)
      if (info) tell(lines, info)
      return push.call(this, info, ...more)
    }
    if (levels)
      prototype.configure = function (...given) {
        configure.apply(this, given)
        levels.leveled(this, true, { trace: 'silly', fatal: 'error' })
      }
    return exported
  },
})

/** A format may have coloured the level; winston keeps it plain besides. */
function tell({ records }: LogLines, info: Info): void {
  if (!records) return
  try {
    const { stack, ...members } = JSON.parse(JSON.stringify(info)) as Record<string, unknown>
    const err = stack === undefined ? undefined : { message: info.message, stack }
    records.members('winston', { ...members, level: info[plainLevel] ?? info.level, err })
  } catch {
    // What cannot be JSON, such as a cycle.
    records.members('winston', { level: info[plainLevel] ?? info.level, message: String(info.message) })
  }
}
