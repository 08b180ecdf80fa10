// Packages of npm that only some tests need, and nobody who installs the house: other versions of Node, compilers. Each set is
// a folder in npm/ with its package.json and its lock file. Installed once, without install scripts, and kept outside the
// checkout under a name that changes with the lock file.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache =
  process.env.SHAKETABLE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable')

/**
 * The `node_modules` of a set, which is installed first where it is not yet in the cache.
 *
 * @param name a folder of `.ci/tools/npm`
 * @throws where npm cannot install it, with what it said.
 */
export function npmPackages(name: string): string {
  const source = join(import.meta.dirname, 'npm', name)
  const key = createHash('sha256')
    .update(readFileSync(join(source, 'package-lock.json')))
    .digest('hex')
  const kept = join(cache, `${name}-${key.slice(0, 12)}`)
  if (existsSync(kept)) return join(kept, 'node_modules')

  mkdirSync(cache, { recursive: true })
  const installing = mkdtempSync(join(cache, `${name}-installing-`))
  try {
    cpSync(source, installing, { recursive: true })
    const args = ['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', args, { cwd: installing, stdio: ['ignore', 'ignore', 'pipe'] })
    try {
      renameSync(installing, kept)
    } catch (error) {
      // Of two that install at the same time, the first one's result stays.
      if (!existsSync(kept)) throw error
    }
  } catch (cause) {
    const said = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause)
    throw new Error(`the packages of ${source} could not be installed, and these tests need them:\n${said}`, { cause })
  } finally {
    rmSync(installing, { recursive: true, force: true })
  }
  return join(kept, 'node_modules')
}
