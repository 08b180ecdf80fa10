import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { freePort } from '../../.ci/tools/free-port.ts'
import { eventually } from './local-shop.ts'

const main = fileURLToPath(new URL('../postgres/src/main.ts', import.meta.url))
let temporary: string
let port: number
let child: ChildProcess | undefined

beforeEach(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'postgres-test-'))
  chmodSync(temporary, 0o755)
  port = await freePort()
  const { DATABASE_URL: _, ...env } = process.env
  child = spawn(process.execPath, [main], { env: { ...env, PORT: String(port), TMPDIR: temporary }, stdio: 'ignore' })
  await eventually(query)
})

afterEach(async () => {
  if (child && child.exitCode === null && child.signalCode === null) {
    child.kill('SIGTERM')
    await once(child, 'exit')
  }
  rmSync(temporary, { recursive: true, force: true })
})

async function query(): Promise<number> {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  client.on('error', () => {})
  try {
    await client.connect()
    return (await client.query('select 42 as answer')).rows[0].answer
  } finally {
    await client.end()
  }
}

const lockFile = () => {
  const [cluster] = readdirSync(temporary)
  return readFileSync(join(temporary, cluster!, 'data/postmaster.pid'), 'utf8').split('\n')
}
const sharedMemoryExists = (id: string) =>
  existsSync('/proc/sysvipc/shm') &&
  readFileSync('/proc/sysvipc/shm', 'utf8')
    .split('\n')
    .some(line => line.trim().split(/\s+/)[1] === id)

test('SIGTERM ends the cluster at once, though a session is open, and leaves no file', async () => {
  const client = new pg.Client({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  client.on('error', () => {})
  await client.connect()
  child!.kill('SIGTERM')
  expect(await once(child!, 'exit')).toEqual([0, null])
  expect(readdirSync(temporary)).toEqual([])
})

test('a postmaster that is killed leaves neither files nor shared memory', async () => {
  const lines = lockFile()
  const [, memory] = lines[6]!.trim().split(/\s+/)
  process.kill(Number(lines[0]), 'SIGKILL')
  const [code] = await once(child!, 'exit')
  expect(code).not.toBe(0)
  expect(readdirSync(temporary)).toEqual([])
  expect(sharedMemoryExists(memory!)).toBe(false)
})
