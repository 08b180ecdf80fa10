import type { Examination } from '../examination.ts'
import { firstOf, type SeenProcess } from '../seen.ts'
import { type Finding, note, problem } from './finding.ts'

/** Whether it came up, and how it ended. */
export function ending({ end, waitMs, graceMs }: Examination, apps: readonly SeenProcess[]): Finding[] {
  const listens = apps.some(app => firstOf(app, firstOf(app, 'sdk') ? 'serves' : 'listens'))
  const found: Finding[] = []
  if (end.byItself && end.code !== 0) {
    const last = gist(end.lastWords)
    found.push(
      problem(
        'SHAKETABLE_APP_FAILED',
        `the app ended by itself with ${end.signal ?? `exit code ${end.code}`}${last ? `: ${last}` : ''}`,
        'see that it starts without the doctor; --show-output shows all that it prints',
      ),
    )
  } else if (!listens && apps.length > 0) {
    const when = end.byItself ? 'before it ended' : `within ${waitMs} ms`
    found.push(
      note(
        'SHAKETABLE_APP_SILENT',
        `no server of the app began to listen ${when}`,
        'for a slow start give --wait-ms more',
      ),
    )
  }
  if (end.killed) {
    found.push(
      problem(
        'SHAKETABLE_APP_KILLED',
        `the app did not end within ${graceMs} ms of SIGTERM and was killed: what it still held was lost`,
        'see what keeps it: a SIGTERM handler that does not exit, or a request that does not end (SHAKETABLE_DRAIN_TIMEOUT)',
      ),
    )
  }
  return found
}

/** The line that names the error, else the last one. */
function gist(words: string): string | undefined {
  const lines = words.split('\n').filter(line => line.trim() !== '')
  return lines.findLast(line => /^\w*Error\b/.test(line)) ?? lines.at(-1)
}
