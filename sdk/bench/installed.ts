import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const source = join(import.meta.dirname, 'contenders')
const files = ['package.json', 'package-lock.json']

/**
 * The folder whose node_modules holds the stacks of `contenders/package.json`. They are not part of the house's own tree:
 * `npm ci` puts them outside the checkout, once for each state of their lock file. None of their install scripts runs.
 */
export function installedContenders(): string {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable')
  const lock = readFileSync(join(source, 'package-lock.json'))
  const kept = join(cache, `bench-contenders-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`)
  if (existsSync(kept)) return kept
  mkdirSync(cache, { recursive: true })
  const installing = mkdtempSync(join(cache, 'bench-contenders-installing-'))
  try {
    process.stderr.write(`installing the other stacks (once; kept in ${kept})\n`)
    for (const file of files) cpSync(join(source, file), join(installing, file))
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
    execFileSync('npm', ['ci', ...flags], { cwd: installing, stdio: ['ignore', 'ignore', 'inherit'] })
    renameSync(installing, kept)
  } finally {
    rmSync(installing, { recursive: true, force: true })
  }
  return kept
}
