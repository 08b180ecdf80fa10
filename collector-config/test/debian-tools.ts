import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Runs a tool and returns its exit code with all it said. */
export type Run = (tool: string, args: string[], cwd?: string) => { code: number; said: string }

/**
 * Tools from Debian packages: from the PATH where they are installed, else from packages that are unpacked into a temporary
 * folder. Nothing is installed, so that no service is started and `remove` leaves nothing behind.
 */
export function debianTools(packageOf: Record<string, string>): { run: Run; remove: () => void } {
  const folder = mkdtempSync(join(tmpdir(), 'shaketable-tools-'))
  const missing = Object.keys(packageOf).filter(tool => !isOnPath(tool))
  for (const name of new Set(missing.map(tool => packageOf[tool]!))) unpack(name, folder)
  const path = [join(folder, 'usr/bin'), process.env.PATH].join(delimiter)
  return {
    run: (tool, args, cwd = process.cwd()) => {
      try {
        const said = execFileSync(tool, args, { cwd, env: { ...process.env, PATH: path }, stdio: 'pipe' })
        return { code: 0, said: String(said) }
      } catch (error) {
        const { status, stdout, stderr } = error as { status: number | null; stdout?: Buffer; stderr?: Buffer }
        if (status === null || status === undefined) throw error
        return { code: status, said: `${stdout ?? ''}${stderr ?? ''}` }
      }
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}

function isOnPath(tool: string): boolean {
  try {
    execFileSync(tool, ['--version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

function unpack(name: string, folder: string): void {
  try {
    execFileSync('apt-get', ['download', name], { cwd: folder, stdio: 'pipe' })
    const file = readdirSync(folder).find(one => one.startsWith(`${name}_`))
    execFileSync('dpkg-deb', ['-x', join(folder, file ?? ''), folder], { stdio: 'pipe' })
  } catch (cause) {
    rmSync(folder, { recursive: true, force: true })
    const words = `The Debian package ${name} is neither installed nor to be downloaded.`
    throw new Error(`${words} Run \`apt-get update\`, or \`apt-get install ${name}\`.`, { cause })
  }
}
