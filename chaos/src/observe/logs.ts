import { open, stat } from 'node:fs/promises'

/** What the services logged while an experiment ran. */
export interface ObservedLogs {
  /** Of warnings and worse, by service. */
  byService: ReadonlyMap<string, WarningLines>
  /** Trace id -> every line of it, of the traces that were asked for. */
  ofTraces: ReadonlyMap<string, LogLine[]>
}

export interface WarningLines {
  traced: number
  untraced: number
  /** Traces that one of them is of. */
  traceIds: ReadonlySet<string>
}

export interface LogLine {
  instance: string
  text: string
}

/** A file of JSON lines that an instance writes. */
export interface LogFile {
  service: string
  instance: string
  path: string
}

const warning = 40
/** pino's numbers, or the words of others. */
const mayWarn = /"(?:level|severity|severityText)"\s*:\s*(?:[4-9]0|"(?:warn|error|fatal|crit))/i
const mostLinesOfTrace = 40
const longestLine = 2000

/** Where each file ends now. */
export async function endsOf(files: readonly LogFile[]): Promise<Map<string, number>> {
  const sizes = files.map(async ({ path }) => [path, (await stat(path).catch(() => undefined))?.size ?? 0] as const)
  return new Map(await Promise.all(sizes))
}

/** Reads what was written since `begin`, line by line. A file that is not there says nothing. */
export async function readLogs(
  files: readonly LogFile[],
  begin: ReadonlyMap<string, number>,
  traceIds: readonly string[],
): Promise<ObservedLogs> {
  const byService = new Map<string, { traced: number; untraced: number; traceIds: Set<string> }>()
  const ofTraces = new Map<string, LogLine[]>(traceIds.map(id => [id, []]))
  for (const { service, instance, path } of files) {
    const file = await open(path).catch(() => undefined)
    if (!file) continue
    const of = byService.get(service) ?? { traced: 0, untraced: 0, traceIds: new Set() }
    byService.set(service, of)
    for await (const text of file.readLines({ start: begin.get(path) ?? 0, encoding: 'utf8' })) {
      for (const id of traceIds) {
        const lines = ofTraces.get(id)!
        if (text.includes(id) && lines.length < mostLinesOfTrace) {
          lines.push({ instance, text: text.slice(0, longestLine) })
        }
      }
      if (!mayWarn.test(text)) continue
      const line = parsed(text)
      if (!line || !warns(line.level ?? line.severity ?? line.severityText)) continue
      // The access log tells of every request, not of what went wrong in it.
      if (line.msg === 'request completed') continue
      const traceId = line.trace_id ?? line.traceId
      if (typeof traceId === 'string' && traceId !== '') {
        of.traced++
        of.traceIds.add(traceId)
      } else of.untraced++
    }
  }
  return { byService, ofTraces }
}

function parsed(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

function warns(level: unknown): boolean {
  return typeof level === 'number' ? level >= warning : /^(?:warn|error|fatal|crit)/i.test(String(level))
}
