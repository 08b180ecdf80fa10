import { type Markup, markup } from '../markup.ts'
import type { TraceExample, TraceExampleSpan, TracesReport } from '../model.ts'
import { count, duration, nothing, percent, plural } from '../units.ts'
import { edgeText, lengthOf, logText, sizeText, spanText } from '../waterfall.ts'
import { table } from './table.ts'

/** What the services' own traces say: who did the harm, and a struck request beside a healthy one on one scale. */
export function tracesSection({ traces, keptShare, edges, struck, healthy }: TracesReport): Markup {
  const kept = keptShare < 1 ? `; of all that came, ${percent(keptShare)} were kept` : ''
  const scaleMs = Math.max(...[struck, healthy].map(example => (example ? lengthOf(example) : 0)))
  return markup`<h3>Traces</h3>${table(
    `Who did harm of their own while the fault lasted, by ${count(traces)} traces${kept}`,
    [
      { head: 'Edge', cell: row => edgeText(row) },
      { head: 'Harm a request', number: true, cell: row => duration(row.harmMs) },
      { head: 'Errors that began here', number: true, cell: row => count(row.errors) },
      {
        head: 'Calls a request',
        number: true,
        cell: row =>
          markup`<span>${row.callsPerRequest.fault.toFixed(2)}<span class="under">without the fault ${row.callsPerRequest.baseline.toFixed(2)}</span></span>`,
      },
      {
        head: 'On the way to an answer',
        number: true,
        cell: ({ amplification }) => (amplification === null ? nothing : `${amplification.toFixed(2)} times`),
      },
      { head: 'First in', number: true, cell: row => `${percent(row.confidence)} of resamples` },
    ],
    edges,
  )}
${struck && example('A typical request that the fault struck', struck, scaleMs)}
${healthy && example('One of the same kind without the fault', healthy, scaleMs)}`
}

function example(title: string, trace: TraceExample, scaleMs: number): Markup {
  return markup`<h4 class="trace">${title}</h4><p class="facts">${sizeText(trace)}, at ${duration(trace.atMs)}, trace <code>${trace.traceId}</code></p>
${table(
  `${title}: its spans, both requests on one scale`,
  [
    {
      head: 'Span',
      cell: row =>
        markup`<span class="depth${Math.min(row.depth, 8)}" title="${spanText(row)}">${spanText(row)}</span>`,
    },
    { head: 'When', cell: row => bar(row, scaleMs), name: 'waterfall' },
    { head: 'Took', number: true, cell: row => duration(row.durationMs) },
    {
      head: 'Error',
      cell: row => markup`<span>${[row.error, row.faultId].filter(Boolean).join(', by ') || nothing}</span>`,
    },
  ],
  trace.spans,
  'spans',
)}
${
  trace.logs.length > 0 &&
  markup`<details class="logs"><summary>${plural(trace.logs.length, 'log line')} of it</summary><pre>${trace.logs.map(({ instance, text }) => `${instance}  ${logText(text)}\n`)}</pre></details>`
}`
}

function bar({ startMs, durationMs, error }: TraceExampleSpan, scaleMs: number): Markup {
  const share = (ms: number) => `${((ms / Math.max(scaleMs, 1e-6)) * 100).toFixed(2)}%`
  const said = `from ${duration(startMs)} to ${duration(startMs + durationMs)}`
  return markup`<svg class="bar${error !== null && ' failed'}" height="14" role="img" aria-label="${said}"><title>${said}</title><rect x="${share(startMs)}" width="${share(Math.max(durationMs, scaleMs * 0.004))}" y="2" height="10" rx="2"/></svg>`
}
