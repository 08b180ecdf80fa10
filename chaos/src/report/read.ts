import { InvalidInput, type Problem } from '@shaketable/slo'
import { isNode, LineCounter, parseDocument } from 'yaml'
import type { SuiteReport } from './model.ts'
import { suiteReport } from './schema.ts'

const hint = 'give the report.json that `shaketable run --report DIR` wrote'

/**
 * Reads a `report.json` back, to render it again.
 * @throws InvalidInput with file:line:column of everything that is wrong
 */
export function readReport(text: string, file: string): SuiteReport {
  const parsed = suiteReport.safeParse(parseJson(text, file))
  if (parsed.success) return parsed.data
  const place = locator(text, file)
  throw new InvalidInput(
    parsed.error.issues.map(issue => ({
      ...place(issue.path),
      message: issue.path.length === 0 ? `not a report: ${issue.message}` : `${pathText(issue.path)}: ${issue.message}`,
      hint,
    })),
  )
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    const message = (error as Error).message.replace(/\s+/g, ' ')
    throw new InvalidInput([{ ...breakingPoint(text, message), file, message: `not JSON: ${message}`, hint }])
  }
}

/** V8 does not always say where; then the YAML parser, kept to JSON's scalars, often can. */
function breakingPoint(text: string, message: string): { line: number; column: number } {
  const [, line, column] = message.match(/\(line (\d+) column (\d+)\)/) ?? []
  if (line && column) return { line: Number(line), column: Number(column) }
  const lines = new LineCounter()
  const [error] = parseDocument(text, { lineCounter: lines, schema: 'json' }).errors
  const offset = message.includes('end of JSON') ? text.length : (error?.pos[0] ?? 0)
  const { line: found, col } = lines.linePos(offset)
  return { line: Math.max(1, found), column: Math.max(1, col) }
}

/** JSON is YAML, whose parser remembers where everything stood. */
function locator(text: string, file: string): (path: PropertyKey[]) => Omit<Problem, 'message'> {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  return path => {
    for (let length = path.length; length >= 0; length--) {
      const node = document.getIn(path.slice(0, length), true)
      if (!isNode(node) || !node.range) continue
      const { line, col } = lines.linePos(node.range[0])
      return { file, line, column: col }
    }
    return { file, line: 1, column: 1 }
  }
}

function pathText(path: PropertyKey[]): string {
  return path
    .map(part => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '')
}
