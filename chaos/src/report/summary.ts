import { exitCode } from '@shaketable/slo'
import type { ExperimentReport, SuiteReport, TraceExample, TraceExampleSpan } from './model.ts'
import { recoveredText } from './recovered.ts'
import { cut, printable, type Style, textWidth, verdictText } from './style.ts'
import { duration, percent, plural } from './units.ts'
import { edgeText, lengthOf, logText, sizeText, spanText } from './waterfall.ts'

/** A piece of a line: what it says and how it is dressed, so that columns align by what is seen. */
interface Cell {
  text: string
  dressed?: string
  right?: boolean
}

/** The verdict table, the reasons for whatever is not a pass, and what the exit code means; ends with a newline. */
export function summary(report: SuiteReport, style: Style): string {
  const head = ['objective', 'target', 'ratio', '95% interval', 'verdict'].map((text, index) => ({
    text,
    dressed: style.dim(text),
    right: index > 0 && index < 4,
  }))
  const rows = report.experiments.map(experiment => rowsOf(experiment, style))
  const widths = columnWidths([head, ...rows.flat()], style)
  const blocks = report.experiments.map((experiment, index) =>
    [
      `${verdictText(experiment.verdict, style)}  ${style.bold(printable(experiment.name))}`,
      `  ${style.dim(timesText(experiment))}`,
      ...experiment.discarded.map(reasons => `  ${style.dim(`measured again: ${printable(reasons.join('; '))}`)}`),
      ...rows[index]!.map(row => line(row, widths)),
      ...experiment.reasons.map(reason => `  ${verdictColour(experiment, style)(`→ ${printable(reason)}`)}`),
      ...experiment.notes.map(note => `  ${style.dim(`· ${printable(note)}`)}`),
      ...(experiment.verdict === 'fail' ? tracesText(experiment, style) : []),
    ].join('\n'),
  )
  return `${[line(head, widths), ...blocks].join('\n')}\n\n${closing(report, style)}\n`
}

function rowsOf(experiment: ExperimentReport, style: Style): Cell[][] {
  return experiment.objectives.map(({ name, target, ratio, interval, verdict, judged }) => {
    const seen = judged ? verdict : 'observed'
    return [
      { text: printable(name) },
      { text: percent(target), right: true },
      { text: percent(ratio), right: true },
      { text: `${percent(interval[0])} to ${percent(interval[1])}`, right: true },
      { text: seen, dressed: judged ? verdictText(verdict, style) : style.dim(seen) },
    ]
  })
}

function timesText(experiment: ExperimentReport): string {
  const { timeToFirstErrorMs: error, timeToDetectMs: detect, timeToRecoverMs: recover } = experiment
  const { timeToDetectPredictedMs: predicted } = experiment
  const recovered = recoveredText(experiment)
  const formula = predicted === null ? '' : ` (${duration(predicted)} by the formula)`
  return [
    error === null ? 'no error' : `first error after ${duration(error)}`,
    detect === null ? `no alert${formula}` : `detected after ${duration(detect)}${formula}`,
    recover === null
      ? recovered === 'no'
        ? 'not recovered'
        : recovered
      : recover <= 0
        ? 'steady at once'
        : `recovered after ${recovered}`,
  ].join(' · ')
}

const barColumns = 20
const mostSpans = 12
const mostLogs = 4

/** Whom the traces blame, and a struck request beside a healthy one, on one scale. */
function tracesText({ traces, faults }: ExperimentReport, style: Style): string[] {
  const [first] = traces?.edges ?? []
  if (!traces || faults.length === 0 || !first || first.harmMs < 1) return []
  const { struck, healthy } = traces
  const scaleMs = Math.max(...[struck, healthy].map(example => (example ? lengthOf(example) : 0)))
  const fit = (line: string) => cut(printable(line), (style.columns ?? 120) - 1)
  const shown = (title: string, example: TraceExample) => [
    style.dim(fit(`    ${title}: ${sizeText(example)}`)),
    ...example.spans.slice(0, mostSpans).map(span => {
      const line = fit(
        `    ${barOf(span, scaleMs)} ${duration(span.durationMs).padStart(7)}  ${'  '.repeat(span.depth)}${spanText(span)}${span.error ? `  ${span.error}` : ''}`,
      )
      return span.error ? style.red(line) : line
    }),
    ...example.logs
      .slice(0, mostLogs)
      .map(({ instance, text }) => style.dim(fit(`    log ${instance}: ${logText(text)}`))),
  ]
  return [
    `  by the traces ${style.bold(printable(edgeText(first)))} did ${duration(first.harmMs)} of harm a request`,
    ...(struck ? shown('a typical request that the fault struck', struck) : []),
    ...(healthy ? shown('one of the same kind without it', healthy) : []),
  ]
}

function barOf({ startMs, durationMs }: TraceExampleSpan, scaleMs: number): string {
  const at = (ms: number) => Math.round((ms / Math.max(scaleMs, 1e-6)) * barColumns)
  const from = Math.min(barColumns - 1, at(startMs))
  const to = Math.min(barColumns, Math.max(from + 1, at(startMs + durationMs)))
  return `${' '.repeat(from)}${'━'.repeat(to - from)}${' '.repeat(barColumns - to)}`
}

function verdictColour(experiment: ExperimentReport, style: Style): (text: string) => string {
  if (experiment.verdict === 'fail') return style.red
  return experiment.verdict === 'void' ? style.magenta : style.yellow
}

const meanings: Record<number, string> = {
  [exitCode.pass]: 'everything stood',
  [exitCode.fail]: 'an expectation did not hold',
  [exitCode.invalidInput]: 'the input is invalid',
  [exitCode.inconclusive]: 'too little was seen to tell',
  [exitCode.notUndone]: 'a fault could not be undone: run `shaketable sweep`',
  [exitCode.void]: 'a measurement was not sound, so it proves nothing',
  [exitCode.ownError]: 'shaketable itself failed',
  130: 'interrupted, and every fault undone',
  143: 'terminated, and every fault undone',
}

function closing(report: SuiteReport, style: Style): string {
  const counts = (['pass', 'fail', 'inconclusive', 'void'] as const)
    .map(verdict => [verdict, report.experiments.filter(one => one.verdict === verdict).length] as const)
    .filter(([, number]) => number > 0)
    .map(([verdict, number]) => `${number} ${verdict}`)
  const said = `${plural(report.experiments.length, 'experiment')}${counts.length > 0 ? ': ' : ''}${counts.join(', ')}`
  const seed = style.dim(`(${duration(report.durationMs)}, seed ${report.seed})`)
  const meaning = meanings[report.exitCode]
  return `${style.bold(said)} ${seed}\nexit ${report.exitCode}${meaning ? `: ${meaning}` : ''}`
}

const gap = 2

/** The first column gives way where the terminal is narrow. */
function columnWidths(rows: Cell[][], style: Style): number[] {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map(row => textWidth(visible(row[column]!, style)))))
  const excess =
    4 + widths.reduce((sum, width) => sum + width + gap, -gap) - (style.columns ?? Number.POSITIVE_INFINITY)
  if (excess > 0) widths[0] = Math.max(12, widths[0]! - excess)
  return widths
}

/** The mark before a verdict takes two columns more than its word. */
function visible(cell: Cell, style: Style): string {
  return cell.dressed === undefined || cell.dressed === style.dim(cell.text) ? cell.text : `? ${cell.text}`
}

function line(cells: Cell[], widths: number[]): string {
  const parts = cells.map((cell, column) => {
    const text = cut(cell.text, column === 0 ? widths[0]! : Number.POSITIVE_INFINITY)
    const padding = ' '.repeat(Math.max(0, widths[column]! - textWidth(text)))
    const dressed = cell.dressed ?? text
    if (cell.right) return padding + dressed
    return column === cells.length - 1 ? dressed : dressed + padding
  })
  return `    ${parts.join(' '.repeat(gap))}`.trimEnd()
}
