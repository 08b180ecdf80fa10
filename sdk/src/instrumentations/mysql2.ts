import { activeContext, withContext } from '../context.ts'
import type { LibraryFile } from './modules.ts'

/**
 * mysql2 calls back in the context of its connection, or of whoever gives one back that was waited for: what is asked then would
 * stand in the trace of another request, and its instrumentation does not see to it.
 */
export const mysql2Contexts: LibraryFile[] = [
  { file: 'lib/base/pool.js', patch: keepInPool },
  // Of earlier versions, whose connections stand in a file that the instrumentation has to itself.
  { file: 'lib/pool.js', patch: keepInPool },
  { file: 'lib/base/connection.js', patch: keepInConnection },
].map(one => ({ ...one, library: 'mysql2', majors: [2, 3] }))

type Callback = (...args: unknown[]) => unknown

interface Pool {
  getConnection(taken?: Callback): unknown
}

function keepInPool(exported: unknown): unknown {
  const { prototype } = exported as { prototype: Pool }
  if (!Object.hasOwn(prototype, 'getConnection')) return exported
  const { getConnection } = prototype
  prototype.getConnection = function (taken) {
    return getConnection.call(this, taken && inThisContext(taken))
  }
  return exported
}

interface Command {
  onResult?: Callback
}

function keepInConnection(exported: unknown): unknown {
  const { prototype } = exported as { prototype: { addCommand(command: Command): unknown } }
  const { addCommand } = prototype
  prototype.addCommand = function (command) {
    if (command.onResult) command.onResult = inThisContext(command.onResult)
    return addCommand.call(this, command)
  }
  return exported
}

function inThisContext(callback: Callback): Callback {
  const context = activeContext()
  return function (this: unknown, ...args) {
    return withContext(context, () => callback.apply(this, args))
  }
}
