import { appendFile, mkdir } from 'node:fs/promises'
import { hostname, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { exitCode, ShaketableError } from '@shaketable/slo'
import type { World } from '../world.ts'
import { statePlaces } from './state.ts'

/** What was done, in words that hold no key, environment or request. */
export interface AuditEntry {
  event: 'run-began' | 'run-ended' | 'halt' | 'sweep'
  systems: string[]
  [detail: string]: unknown
}

/** Where the audit trail is written: beside the folder of runs, and unlike those it stays. */
export const auditFile = 'audit.jsonl'

/**
 * Adds one line to the audit trail: who, where, when and what. Nothing ever rewrites it.
 *
 * @throws where it cannot be written anywhere: what leaves no trace is not done.
 */
export async function audit(world: World, entry: AuditEntry): Promise<void> {
  const { username: user, uid } = userInfo()
  const at = new Date(world.clock.wall()).toISOString()
  const line = `${JSON.stringify({ at, user, uid, host: hostname(), pid: process.pid, ...entry })}\n`
  let cause: unknown
  for (const { runs } of statePlaces(world.env)) {
    const folder = dirname(runs)
    try {
      await mkdir(folder, { recursive: true, mode: 0o700 })
      await appendFile(join(folder, auditFile), line, { mode: 0o600 })
      return
    } catch (error) {
      cause = error
    }
  }
  throw new ShaketableError('SHAKETABLE_NO_AUDIT', `the audit trail cannot be written: ${(cause as Error).message}`, {
    exitCode: exitCode.ownError,
    hint: 'give SHAKETABLE_STATE a folder that you may write to',
    cause,
  })
}
