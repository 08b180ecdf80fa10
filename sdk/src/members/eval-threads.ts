import { createRequire, syncBuiltinESMExports } from 'node:module'
import type { WorkerOptions } from 'node:worker_threads'

type WorkerThreads = typeof import('node:worker_threads')

/**
 * Node runs what `--import` names in each thread, unless that is made of the text of a classic script (`eval: true`). Such a text
 * is handed to Node as a module that runs it, so that these threads have the SDK as the others do.
 */
export function preloadEvalThreads(): void {
  const threads = createRequire(import.meta.url)('node:worker_threads') as WorkerThreads
  const { Worker } = threads
  const made: typeof Worker = new Proxy(Worker, {
    construct(target, [code, options, ...rest], newTarget) {
      const given = isScript(code, options) ? moduleOf(code) : code
      return Reflect.construct(target, [given, options, ...rest], newTarget === made ? target : newTarget)
    },
  })
  threads.Worker = made
  syncBuiltinESMExports()
}

function isScript(code: unknown, options: WorkerOptions | undefined): code is string {
  if (typeof code !== 'string' || options?.eval !== true) return false
  const flags = options.execArgv ?? [...process.execArgv, process.env.NODE_OPTIONS ?? '']
  const has = (name: string) => flags.some(flag => flag.includes(name))
  if (!has('--import') || has('--input-type') || has('--disallow-code-generation-from-strings')) return false
  try {
    const { Script } = createRequire(import.meta.url)('node:vm') as typeof import('node:vm')
    return Boolean(new Script(code))
  } catch {
    // A module, which needs nothing, or what no thread can run.
    return false
  }
}

/** With the names that Node gives such a script. An indirect eval runs it in the global scope, and knows how to `import()`. */
function moduleOf(script: string): string {
  return `import Module from 'node:module'
import { join } from 'node:path'
const filename = '[worker eval]'
const module = new Module(filename)
module.filename = join(process.cwd(), filename)
module.paths = Module._nodeModulePaths(process.cwd())
const require = Module.createRequire(module.filename)
Object.assign(globalThis, { __filename: filename, __dirname: '.', module, exports: module.exports, require })
const run = eval
run(${JSON.stringify(`${script}\n//# sourceURL=[worker-eval]`)})
`
}
