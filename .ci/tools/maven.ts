// Programs that exist as jars in Maven Central, for the tests that need the real ones.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'

const cache =
  process.env.SHAKETABLE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable')

/** Each pinned by its coordinates and by what is in it. */
const jars = {
  zipkin: {
    artifact: 'io.zipkin:zipkin-server:3.5.1:jar:exec',
    sha256: '7ac633a6832647e71e50012a5e3e91fbc7054414955261724526030faf271d8d',
  },
} as const

/**
 * The path of a jar, which is fetched first where it is not yet in the cache.
 *
 * @throws where there is no Maven, or what it brought is not what was pinned.
 */
export function mavenJar(name: keyof typeof jars): string {
  const { artifact, sha256 } = jars[name]
  const kept = join(cache, `${name}-${sha256.slice(0, 12)}.jar`)
  if (existsSync(kept)) return kept
  const folder = join(cache, `${name}-fetching-${process.pid}`)
  mkdirSync(folder, { recursive: true })
  try {
    console.error(`fetching ${artifact} (once; kept as ${kept})`)
    const copy = 'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy'
    const options = [`-Dartifact=${artifact}`, `-DoutputDirectory=${folder}`, '-Dmdep.useBaseVersion=true']
    execFileSync('mvn', ['-q', '-B', copy, ...options], { cwd: folder, stdio: ['ignore', 'inherit', 'pipe'] })
    const [, file, version, , classifier] = artifact.split(':')
    const fetched = join(folder, `${file}-${version}-${classifier}.jar`)
    const found = createHash('sha256').update(readFileSync(fetched)).digest('hex')
    if (found !== sha256) throw new Error(`${artifact}: expected sha256 ${sha256}, got ${found}`)
    renameSync(fetched, kept)
  } catch (cause) {
    const said = (cause as { stderr?: Buffer }).stderr?.toString().trim() ?? String(cause)
    throw new Error(`${name} could not be fetched, and these tests need it. It takes Java and Maven:\n${said}`, {
      cause,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return kept
}
