import { writeSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import { systemClock } from '../world.ts'
import { readJournal } from './journal.ts'
import { undoRun } from './undo.ts'

/**
 * The keeper's own process: `keeper-main <run folder> <silence in ms>`. It reads heartbeats from stdin; at their end, or
 * after a silence, it undoes the run and exits. The letter R releases it: the runner has undone everything itself.
 */
const [dir, silence] = process.argv.slice(2) as [string, string]
const silenceMs = Number(silence)
const checkEveryMs = 250

// It lives in a session of its own. What ends it is its pipe, not a signal that was meant for all.
for (const signal of ['SIGHUP', 'SIGINT', 'SIGTERM'] as const) process.on(signal, () => {})

let heardAt = systemClock.now()
let over = false

process.stdin.on('data', (chunk: Buffer) => {
  heardAt = systemClock.now()
  if (chunk.includes('R')) finish()
})
process.stdin.on('end', () => undo())
process.stdin.on('error', () => undo())

const watch = setInterval(() => {
  if (systemClock.now() - heardAt < silenceMs) return
  // After a pause of our own (a starved machine) heartbeats may wait unread: let them speak first.
  setTimeout(() => {
    if (systemClock.now() - heardAt >= silenceMs) void undo()
  }, checkEveryMs)
}, checkEveryMs)

try {
  writeSync(1, 'watching\n')
} catch {
  // The runner is gone already; the end of stdin says so too.
}

async function undo(): Promise<void> {
  if (over) return
  over = true
  const recorded = readJournal(dir)
  const stays = recorded.began?.stays ?? dirname(dir)
  await undoRun({ dir, runId: basename(dir), runs: dirname(dir), stays }, recorded, systemClock)
  finish()
}

function finish(): void {
  clearInterval(watch)
  process.exit(0)
}
