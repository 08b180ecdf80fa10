import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Notice } from '../notice.ts'

/**
 * An inner CommonJS file of a library that the app may load. Inner files are always `require`d, by `import` and by
 * `require` of the library alike, so that one hook serves both; nothing is loaded that the app does not load.
 */
export interface LibraryFile {
  /** The library's name in its package.json. */
  library: string
  /** Its file, e.g. `lib/client.js`. */
  file: string
  /** Major versions that the patch is known to fit. */
  majors: readonly number[]
  /** Receives the file's exports once it has run; what it returns replaces them. */
  patch(exported: unknown, version: string): unknown
}

const callback = Symbol.for('shaketable.loaded')

/** Hooks the loading of these files. */
export function patchOnLoad(files: readonly LibraryFile[], notice: Notice): void {
  const loaded = (at: number, module: { exports: unknown }, version: string) => {
    const file = files[at]!
    try {
      module.exports = file.patch(module.exports, version)
    } catch (error) {
      notice(`${file.library} ${version} cannot be instrumented: ${String(error)}`)
    }
  }
  Object.defineProperty(globalThis, callback, { value: loaded, configurable: true })
  registerHooks({
    load(url, context, nextLoad) {
      const result = nextLoad(url, context)
      if (!url.startsWith('file:') || (result.format !== 'commonjs' && result.format !== undefined)) return result
      for (const [at, file] of files.entries()) {
        if (!url.endsWith(`/${file.file}`)) continue
        const path = fileURLToPath(url)
        const found = libraryAt(path.slice(0, -file.file.length))
        if (found?.name !== file.library) continue
        if (!file.majors.includes(Number.parseInt(found.version, 10))) {
          notice(`${file.library} ${found.version} is not instrumented: known versions are ${file.majors.join(', ')}`)
          continue
        }
        const source = result.source ? Buffer.from(result.source as Buffer).toString() : readFileSync(path, 'utf8')
        const call = `globalThis[Symbol.for('shaketable.loaded')]?.(${at}, module, ${JSON.stringify(found.version)})`
        return { ...result, format: 'commonjs', source: `${source}\n;${call};\n` }
      }
      return result
    },
  })
}

function libraryAt(folder: string): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(`${dirname(`${folder}x`)}/package.json`, 'utf8'))
  } catch {
    return undefined
  }
}
