import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Notice } from '../notice.ts'

/**
 * An inner file of a library that the app may load; nothing is loaded that the app does not load. The inner files of a
 * CommonJS library are `require`d by `import` and by `require` of the library alike, so that one hook serves both. A
 * library that comes in both formats has a file for each.
 */
export interface LibraryFile {
  /** The library's name in its package.json. */
  library: string
  /** Its file, e.g. `lib/client.js`. */
  file: string
  /** Major versions that the patch is known to fit. */
  majors: readonly number[]
  /** Of an ES module, what is handed to `patch`: a variable or class of the file with the name of its export. */
  binding?: string
  /** Receives the file's exports once it has run; what it returns replaces them. */
  patch(exported: unknown, version: string): unknown
}

const callback = Symbol.for('shaketable.loaded')

/** Hooks the loading of these files. */
export function patchOnLoad(files: readonly LibraryFile[], notice: Notice): void {
  const loaded = (at: number, module: { exports: unknown }, version: string, failure?: unknown) => {
    const file = files[at]!
    try {
      if (failure) throw failure
      module.exports = file.patch(module.exports, version)
    } catch (error) {
      notice(`${file.library} ${version} cannot be instrumented: ${String(error)}`)
    }
  }
  Object.defineProperty(globalThis, callback, { value: loaded, configurable: true })
  registerHooks({
    load(url, context, nextLoad) {
      const result = nextLoad(url, context)
      if (!url.startsWith('file:')) return result
      const isModule = result.format === 'module'
      if (!isModule && result.format !== 'commonjs' && result.format !== undefined) return result
      for (const [at, file] of files.entries()) {
        if (!url.endsWith(`/${file.file}`) || isModule !== (file.binding !== undefined)) continue
        const path = fileURLToPath(url)
        const found = libraryAt(path.slice(0, -file.file.length))
        if (found?.name !== file.library) continue
        if (!file.majors.includes(Number.parseInt(found.version, 10))) {
          notice(`${file.library} ${found.version} is not instrumented: known versions are ${file.majors.join(', ')}`)
          continue
        }
        const source = result.source ? Buffer.from(result.source as Buffer).toString() : readFileSync(path, 'utf8')
        const call = file.binding
          ? callFromModule(at, file.binding, found.version)
          : `globalThis[Symbol.for('shaketable.loaded')]?.(${at}, module, ${JSON.stringify(found.version)})`
        return { ...result, format: isModule ? 'module' : 'commonjs', source: `${source}\n;${call};\n` }
      }
      return result
    },
  })
}

/** A module's exports cannot be replaced from outside, but from inside: what imports it sees its variable change. */
function callFromModule(at: number, binding: string, version: string): string {
  const call = `globalThis[Symbol.for('shaketable.loaded')]?.(${at}, shaketable, ${JSON.stringify(version)}`
  return `{ const shaketable = { exports: {} };
try { shaketable.exports = { ${binding} }; ${call}); ${binding} = shaketable.exports.${binding} }
catch (failure) { ${call}, failure) } }`
}

function libraryAt(folder: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(`${dirname(`${folder}x`)}/package.json`, 'utf8'))
  } catch {
    return undefined
  }
}
