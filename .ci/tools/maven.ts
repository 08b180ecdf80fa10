// Programs that exist only as Maven artifacts, for the tests that need the real ones. Each is a file in maven/ that names its
// jars by their places in a Maven repository, every one with its SHA-256. Maven fetches them once, and they are kept outside the
// checkout.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'

const cache = join(
  process.env.SHAKETABLE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable'),
  'jars',
)

interface Jar {
  sha256: string
  /** `group/parts/artifact/version/artifact-version.jar`, or with `-classifier` after the version. */
  path: string
  /** Where it is kept. */
  file: string
}

/**
 * The class path of a program, whose jars are fetched first where they are not yet in the cache.
 *
 * @param name a file of `.ci/tools/maven`
 * @throws where there is no Maven, a jar cannot be fetched, or it is not the one that is meant.
 */
export async function classPath(name: string): Promise<string> {
  const list = readFileSync(join(import.meta.dirname, 'maven', `${name}.txt`), 'utf8')
  const jars = list
    .trim()
    .split('\n')
    .map((line): Jar => {
      const [sha256, path] = line.split('  ') as [string, string]
      return { sha256, path, file: join(cache, `${sha256.slice(0, 12)}-${basename(path)}`) }
    })
  const missing = jars.filter(({ file }) => !existsSync(file))
  if (missing.length > 0) await fetchJars(name, missing)
  return jars.map(({ file }) => file).join(':')
}

async function fetchJars(name: string, jars: Jar[]): Promise<void> {
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, `${name}-fetching-`))
  try {
    console.error(`fetching ${jars.length} jars of ${name} (once; kept in ${cache})`)
    writeFileSync(join(folder, 'pom.xml'), pomThatCopies(jars))
    await promisify(execFile)('mvn', ['-q', '-B', 'dependency:copy'], { cwd: folder })
    for (const { sha256, path, file } of jars) {
      const fetched = join(folder, basename(path))
      const seen = createHash('sha256').update(readFileSync(fetched)).digest('hex')
      if (seen !== sha256) throw new Error(`${path} has the SHA-256 ${seen}, expected ${sha256}`)
      renameSync(fetched, file)
    }
  } catch (cause) {
    const { stdout, message } = cause as { stdout?: string; message: string }
    throw new Error(`${name} could not be fetched, and these tests need it. It takes Maven:\n${stdout || message}`, {
      cause,
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function pomThatCopies(jars: Jar[]): string {
  const items = jars.map(({ path }) => {
    const [file = '', version = '', artifact = '', ...group] = path.split('/').reverse()
    const classifier = file.slice(`${artifact}-${version}`.length, -'.jar'.length).replace('-', '')
    return `<artifactItem><groupId>${group.reverse().join('.')}</groupId><artifactId>${artifact}</artifactId>
      <version>${version}</version><classifier>${classifier}</classifier></artifactItem>`
  })
  return `<project><modelVersion>4.0.0</modelVersion>
  <groupId>shaketable.tools</groupId><artifactId>jars</artifactId><version>1</version><packaging>pom</packaging>
  <build><plugins><plugin>
    <groupId>org.apache.maven.plugins</groupId><artifactId>maven-dependency-plugin</artifactId><version>3.8.1</version>
    <configuration><outputDirectory>.</outputDirectory><artifactItems>${items.join('\n')}</artifactItems></configuration>
  </plugin></plugins></build>
</project>`
}
