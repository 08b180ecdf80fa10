import type { Leveled, LogLevels } from '../logs/levels.ts'
import type { LogLines } from '../logs/lines.ts'
import type { LibraryFile } from './modules.ts'

type AsJson = (this: unknown, object: unknown, message: unknown, level: number, time: string) => string

/** Every line of every pino logger, child loggers included. */
export const pino = (lines: LogLines): LibraryFile => ({
  library: 'pino',
  file: 'lib/tools.js',
  majors: [7, 8, 9, 10],
  patch(exported) {
    const tools = exported as { asJson?: AsJson }
    const { asJson } = tools
    if (!asJson) throw new Error('asJson is not there')
    tools.asJson = function (object, message, level, time) {
      return lines.json('pino', asJson.call(this, object, message, level, time))
    }
    return tools
  },
})

type SetLevel = (this: Leveled, level: string | number) => void

/** Each logger is given its level where it is made, and again whenever that changes. */
export const pinoLevels = (levels: LogLevels): LibraryFile => ({
  library: 'pino',
  file: 'lib/levels.js',
  majors: [7, 8, 9, 10],
  patch(exported) {
    const module = exported as { setLevel?: SetLevel }
    const { setLevel } = module
    if (!setLevel) throw new Error('setLevel is not there')
    const known = new WeakSet<Leveled>()
    module.setLevel = function (level) {
      setLevel.call(this, level)
      levels.leveled(this, !known.has(this))
      known.add(this)
    }
    return module
  },
})
