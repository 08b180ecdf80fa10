// Programs that exist only as Go modules, for the tests that need the real ones. Each is a folder in go/: its go.mod names the
// program in a `tool` line, or a main.go beside it is the program, and go.sum pins everything that it is built from. Built once,
// and kept outside the checkout under a name that changes with any of the folder's files.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

const cache =
  process.env.SHAKETABLE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable')

/** The names that `goProgram` takes. */
export const goPrograms: readonly string[] = readdirSync(new URL('go', import.meta.url))

/** What a build needs besides its module. */
const buildOptions: Record<string, { env?: Record<string, string>; tags?: string }> = {
  // Its ways to discover targets are most of what it is built from, and no test needs one.
  prometheus: { tags: 'remove_all_sd' },
  victorialogs: { env: { CGO_ENABLED: '0' } },
}

/**
 * The path of a program, which is built first where it is not yet in the cache (minutes, for the large ones).
 *
 * @param name a folder of `.ci/tools/go`
 * @throws where there is no Go, or the build fails, with what the compiler said.
 */
export function goProgram(name: string): string {
  const options = buildOptions[name] ?? {}
  const source = join(import.meta.dirname, 'go', name)
  const mod = readFileSync(join(source, 'go.mod'), 'utf8')
  const tool = /^tool (\S+)$/m.exec(mod)?.[1]
  const files = readdirSync(source).sort()
  if (!tool && !files.includes('main.go'))
    throw new Error(`${source}: expected a line "tool path/of/the/program" in go.mod, or a main.go`)

  const key = createHash('sha256')
  for (const file of files) key.update(readFileSync(join(source, file)))
  key.update(JSON.stringify(options))
  const kept = join(cache, `${name}-${key.digest('hex').slice(0, 12)}`)
  const program = tool ? basename(tool) : name
  const binary = join(kept, program)
  if (existsSync(binary)) return binary

  mkdirSync(cache, { recursive: true })
  const building = mkdtempSync(join(cache, `${name}-building-`))
  try {
    console.error(`building ${name} (once; kept in ${kept})`)
    const tags = options.tags ? ['-tags', options.tags] : []
    const out = join(building, program)
    execFileSync(
      'go',
      ['build', '-C', source, '-mod=readonly', '-trimpath', '-ldflags=-s -w', ...tags, '-o', out, tool ?? '.'],
      {
        env: { ...process.env, GOFLAGS: '', ...options.env },
        stdio: ['ignore', 'inherit', 'pipe'],
      },
    )
    renameInto(building, kept)
  } catch (cause) {
    const said = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause)
    throw new Error(`${name} could not be built, and these tests need it. It takes a Go toolchain (go.dev):\n${said}`, {
      cause,
    })
  } finally {
    rmSync(building, { recursive: true, force: true })
  }
  return binary
}

/** Of two that build at the same time, the first one's result stays. */
function renameInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}
