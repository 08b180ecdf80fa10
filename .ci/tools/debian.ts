// Programs of Debian's packages for the tests that need the real ones.
import { execFileSync, spawnSync } from 'node:child_process'

/**
 * Installs those of Debian's packages that are missing. Only root can; anybody else is told the command.
 *
 * @throws where a package is missing and cannot be installed, with the command to run.
 */
export function installDebianPackages(...names: string[]): void {
  const missing = names.filter(name => !isInstalled(name))
  if (missing.length === 0) return
  const howTo = `these tests need Debian's ${missing.join(', ')}: apt-get update && apt-get install ${missing.join(' ')}`
  if (process.getuid?.() !== 0) throw new Error(howTo)
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  try {
    execFileSync('apt-get', ['update'], { env, stdio: 'pipe' })
    execFileSync('apt-get', ['install', '-y', '--no-install-recommends', ...missing], { env, stdio: 'pipe' })
  } catch (cause) {
    throw new Error(howTo, { cause })
  }
}

function isInstalled(name: string): boolean {
  const { stdout } = spawnSync('dpkg', ['-s', name], { encoding: 'utf8' })
  return /^Status: install ok installed$/m.test(stdout)
}
