import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { databaseServer } from './config.ts'
import { log } from './log.ts'

/** Limits that hold on the server: a client that freezes keeps no lock for longer. */
const limits = {
  statement_timeout: 5_000,
  lock_timeout: 2_000,
  idle_in_transaction_session_timeout: 2_000,
  connectionTimeoutMillis: 5_000,
}
/** Guards the set-up, which all replicas of all services begin at once. */
const setUpLock = 7_403_117

export const databaseName = (service: string): string => `shop_${service}`

/** A few connections to the database of `service`, which need not exist yet. */
export function connect(service: string, connections = 4): pg.Pool {
  const url = databaseServer()
  url.pathname = `/${databaseName(service)}`
  const pool = new pg.Pool({ ...limits, connectionString: url.href, max: connections, idleTimeoutMillis: 30_000 })
  pool.on('error', error => log.warn({ err: error }, 'an idle database connection was lost'))
  return pool
}

/** Waits for the server, creates the database of `service` and its `schema` (idempotent SQL) if need be, and connects. */
export async function openDatabase(
  service: string,
  schema: string,
  { connections, waitMs = 30_000 }: { connections?: number; waitMs?: number } = {},
): Promise<pg.Pool> {
  const url = databaseServer()
  await asOnlyOne(url, waitMs, async admin => {
    const name = databaseName(service)
    const { rowCount } = await admin.query('select from pg_database where datname = $1', [name])
    if (!rowCount) await admin.query(`create database ${name}`)
  })
  url.pathname = `/${databaseName(service)}`
  await asOnlyOne(url, waitMs, async admin => {
    await admin.query(schema)
  })
  return connect(service, connections)
}

async function asOnlyOne(url: URL, waitMs: number, work: (admin: pg.Client) => Promise<void>): Promise<void> {
  const admin = await patientClient(url, waitMs)
  try {
    await admin.query('select pg_advisory_lock($1)', [setUpLock])
    await work(admin)
  } finally {
    await admin.end()
  }
}

async function patientClient(url: URL, waitMs: number): Promise<pg.Client> {
  const giveUpAt = performance.now() + waitMs
  for (;;) {
    const client = new pg.Client({ connectionString: url.href, connectionTimeoutMillis: 5_000 })
    try {
      await client.connect()
      return client
    } catch (error) {
      await client.end().catch(() => {})
      if (performance.now() > giveUpAt) throw error
      await sleep(100)
    }
  }
}
