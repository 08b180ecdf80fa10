import { channel } from 'node:diagnostics_channel'
import { readFileSync } from 'node:fs'
import Module, { registerHooks } from 'node:module'
import { dirname, sep } from 'node:path'
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

/** Said on `libraryChannel` of each such file that the app has loaded. */
export interface MetLibrary {
  library: string
  version: string
  /** The absolute path of the file; of a library that announces itself there is none. */
  path?: string
  /** Why it is not instrumented; absent when it is. */
  failure?: string
}
export const libraryChannel = 'shaketable.library'
const met = channel(libraryChannel)

export function announce(library: MetLibrary): void {
  met.publish(library)
}

const callback = Symbol.for('shaketable.loaded')
const marker = "globalThis[Symbol.for('shaketable.loaded')]"

/** Node's own modules, by their URL, that are patched when the app first loads them. */
export type Builtins = Record<`node:${string}`, () => void>

/** Hooks the loading of these files and modules. */
export function patchOnLoad(files: readonly LibraryFile[], builtins: Builtins, notice: Notice): void {
  const fail = (library: MetLibrary & { failure: string }) => {
    notice(library.failure)
    announce(library)
  }
  const loaded = (at: number, module: { exports: unknown }, version: string, path: string, failure?: unknown) => {
    const file = files[at]!
    const { library } = file
    try {
      if (failure) throw failure
      module.exports = file.patch(module.exports, version)
      announce({ library, version, path })
    } catch (error) {
      fail({ library, version, path, failure: `${library} ${version} cannot be instrumented: ${String(error)}` })
    }
  }
  Object.defineProperty(globalThis, callback, { value: loaded, configurable: true })
  const refused = new Set<string>()
  /** The source with a call of `loaded` at its end; undefined where the file is none of these. */
  const withCall = (path: string, isModule: boolean, source: () => string): string | undefined => {
    const slashed = sep === '/' ? path : path.replaceAll(sep, '/')
    for (const [at, file] of files.entries()) {
      if (!slashed.endsWith(`/${file.file}`) || isModule !== (file.binding !== undefined)) continue
      const found = libraryAt(path.slice(0, -file.file.length))
      if (found?.name !== file.library) continue
      const { library, majors } = file
      const { version } = found
      if (!majors.includes(Number.parseInt(version, 10))) {
        const failure = `${library} ${version} is not instrumented: known versions are ${majors.join(', ')}`
        if (!refused.has(path)) fail({ library, version, path, failure })
        refused.add(path)
        continue
      }
      const met = `${JSON.stringify(version)}, ${JSON.stringify(path)}`
      const call = file.binding ? callFromModule(at, file.binding, met) : `${marker}?.(${at}, module, ${met})`
      return `${source()}\n;${call};\n`
    }
    return undefined
  }
  const awaited = { ...builtins }
  const meetBuiltin = (url: keyof Builtins) => {
    const patch = awaited[url]!
    delete awaited[url]
    try {
      patch()
    } catch (error) {
      notice(`${url} cannot be instrumented: ${String(error)}`)
    }
  }
  registerHooks({
    load(url, context, nextLoad) {
      const result = nextLoad(url, context)
      if (url in awaited) meetBuiltin(url as keyof Builtins)
      if (!url.startsWith('file:')) return result
      const isModule = result.format === 'module'
      if (!isModule && result.format !== 'commonjs' && result.format !== undefined) return result
      const path = fileURLToPath(url)
      const source = withCall(path, isModule, () =>
        result.source ? Buffer.from(result.source as Buffer).toString() : readFileSync(path, 'utf8'),
      )
      return source === undefined ? result : { ...result, format: isModule ? 'module' : 'commonjs', source }
    },
  })
  patchCompile((path, content) => {
    const source = withCall(path, false, () => content)
    return source === undefined || content.includes(marker) ? content : source
  })
}

/** Compilers such as tsx read the files of CommonJS by themselves, past the hooks, and hand them to Node here. */
function patchCompile(compiled: (path: string, content: string) => string): void {
  type Compile = (this: unknown, content: string, path: string, ...rest: unknown[]) => unknown
  const { prototype } = Module as unknown as { prototype: { _compile: Compile } }
  const { _compile } = prototype
  prototype._compile = function (content, path, ...rest) {
    return _compile.call(this, compiled(path, content), path, ...rest)
  }
}

/** A module's exports cannot be replaced from outside, but from inside: what imports it sees its variable change. */
function callFromModule(at: number, binding: string, met: string): string {
  const call = `${marker}?.(${at}, shaketable, ${met}`
  return `{ const shaketable = { exports: {} };
try { shaketable.exports = { ${binding} }; ${call}); ${binding} = shaketable.exports.${binding} }
catch (failure) { ${call}, failure) } }`
}

const known = new Map<string, { name: string; version: string } | undefined>()

/** Many libraries have an `index.js`: each folder is looked into once. */
function libraryAt(folder: string): { name: string; version: string } | undefined {
  if (known.has(folder)) return known.get(folder)
  let found: { name: string; version: string } | undefined
  try {
    found = JSON.parse(readFileSync(`${dirname(`${folder}x`)}/package.json`, 'utf8'))
  } catch {
    // No package, or none of the app's.
  }
  known.set(folder, found && { name: found.name, version: found.version })
  return found
}
