// Programs that exist only as Maven artifacts, for the tests that need the real ones. Each is a file in maven/ that names its
// jars, every one with its SHA-256. Fetched once, and kept outside the checkout.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'

const registry = 'https://repo1.maven.org/maven2'
const cache = join(
  process.env.SHAKETABLE_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'shaketable'),
  'jars',
)

/**
 * The class path of a program, whose jars are fetched first where they are not yet in the cache.
 *
 * @param name a file of `.ci/tools/maven`
 * @throws where a jar cannot be fetched, or is not the one that is meant.
 */
export async function classPath(name: string): Promise<string> {
  const list = readFileSync(join(import.meta.dirname, 'maven', `${name}.txt`), 'utf8')
  const jars = list
    .trim()
    .split('\n')
    .map(line => line.split('  ') as [sha256: string, path: string])
  mkdirSync(cache, { recursive: true })
  const paths: string[] = []
  // A few at a time: the registry is a guest's.
  for (let at = 0; at < jars.length; at += 4) {
    paths.push(...(await Promise.all(jars.slice(at, at + 4).map(([sha256, path]) => kept(sha256, path)))))
  }
  return paths.join(':')
}

async function kept(sha256: string, path: string): Promise<string> {
  const file = join(cache, `${sha256.slice(0, 12)}-${basename(path)}`)
  if (existsSync(file)) return file
  const answer = await fetch(`${registry}/${path}`)
  if (!answer.ok) throw new Error(`${registry}/${path} answered ${answer.status}: these tests need it`)
  const bytes = Buffer.from(await answer.arrayBuffer())
  const seen = createHash('sha256').update(bytes).digest('hex')
  if (seen !== sha256) throw new Error(`${registry}/${path} has the SHA-256 ${seen}, expected ${sha256}`)
  writeFileSync(`${file}.${process.pid}`, bytes)
  renameSync(`${file}.${process.pid}`, file)
  return file
}
