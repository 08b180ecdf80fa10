import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { install } from './installation.ts'

const prefix = 'shop-postgres-'

/** Small and quick, as befits data that nobody will miss. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  max_connections: 60,
  shared_buffers: '16MB',
  dynamic_shared_memory_type: 'mmap',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  max_wal_size: '128MB',
  autovacuum_max_workers: 1,
  max_parallel_workers: 0,
  max_logical_replication_workers: 0,
  jit: 'off',
}

/** PostgreSQL does not run as root: then it is `nobody`, whom every system has. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const nobody = readFileSync('/etc/passwd', 'utf8').match(/^nobody:[^:]*:(\d+):(\d+):/m)
  if (!nobody) throw new Error('PostgreSQL does not run as root, and there is no user nobody to run it as')
  return { uid: Number(nobody[1]), gid: Number(nobody[2]) }
}

/** A cluster in a fresh temporary folder, on 127.0.0.1:`port`, that takes part in nothing else on this machine. */
export class Cluster {
  readonly #dir: string
  readonly #postmaster: ChildProcess
  /** Its exit code; resolves when it has ended, for whatever reason, and its folder is gone. */
  readonly ended: Promise<number | null>

  constructor(port: number) {
    removeLeftOvers()
    const user = serverUser()
    this.#dir = mkdtempSync(join(tmpdir(), `${prefix}${process.pid}-`))
    try {
      if (user) chownSync(this.#dir, user.uid, user.gid)
      chmodSync(this.#dir, 0o700)
      const home = join(this.#dir, 'install')
      install(home)
      const data = join(this.#dir, 'data')
      const as = {
        ...user,
        cwd: this.#dir,
        env: { ...process.env, LD_LIBRARY_PATH: join(home, 'lib'), LC_ALL: 'C', TZ: 'UTC' },
      }
      const how = [
        '--username=postgres',
        '--auth=trust',
        '--encoding=UTF8',
        '--no-locale',
        '--no-sync',
        '--no-instructions',
      ]
      execFileSync(join(home, 'bin/initdb'), [`--pgdata=${data}`, ...how], {
        ...as,
        stdio: ['ignore', 'ignore', 'inherit'],
      })
      const options = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
      this.#postmaster = spawn(join(home, 'bin/postgres'), ['-D', data, ...options], {
        ...as,
        stdio: ['ignore', 'inherit', 'inherit'],
      })
    } catch (error) {
      rmSync(this.#dir, { recursive: true, force: true })
      throw error
    }
    this.ended = once(this.#postmaster, 'exit').then(([code]) => {
      remove(this.#dir)
      return code
    })
  }

  /** Fast shutdown: sessions are ended, and nothing is waited for. */
  stop(): void {
    this.#postmaster.kill('SIGINT')
  }
}

/** Removes the folders of clusters that were killed with no time to tidy up. */
function removeLeftOvers(): void {
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix)) continue
    const dir = join(tmpdir(), name)
    const owners = [Number(name.slice(prefix.length).split('-')[0]), Number(lockFile(dir)[0])]
    if (!owners.some(isAlive)) remove(dir)
  }
}

/** Removes a dead cluster, and the shared memory that a postmaster leaves when it was killed; its lock file names it. */
function remove(dir: string): void {
  const [, id] = lockFile(dir)[6]?.trim().split(/\s+/) ?? []
  if (id) {
    try {
      execFileSync('ipcrm', ['-m', id], { stdio: 'ignore' })
    } catch {
      // Gone already, or somebody else's: then it is not ours to remove.
    }
  }
  try {
    rmSync(dir, { recursive: true, force: true })
  } catch (error) {
    // Another user's on the same machine.
    if ((error as { code?: string }).code !== 'EACCES' && (error as { code?: string }).code !== 'EPERM') throw error
  }
}

/** The lines of `postmaster.pid`: the pid comes first, key and id of the shared memory seventh. None after a clean end. */
function lockFile(dir: string): string[] {
  try {
    return readFileSync(join(dir, 'data/postmaster.pid'), 'utf8').split('\n')
  } catch {
    return []
  }
}

function isAlive(pid: number): boolean {
  if (!(pid > 0)) return false
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as { code?: string }).code === 'EPERM'
  }
}
