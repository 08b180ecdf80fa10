import { createRequire } from 'node:module'

// One module system for all of them: an EditorState of another copy of @codemirror/state would not be recognised.
const require = createRequire(import.meta.url)
const { Parser } = require('@prometheus-io/codemirror-promql/dist/cjs/parser/parser.js')
const { parser } = require('@prometheus-io/lezer-promql')
const { EditorState } = require('@codemirror/state')
const { LRLanguage } = require('@codemirror/language')

const language = LRLanguage.define({ parser })

/** What is wrong with a query: its grammar, the types of its parts, the arguments of its functions. */
export function complaints(expr: string): string[] {
  const text = withoutGrafana(expr)
  const checked = new Parser(EditorState.create({ doc: text, extensions: language }))
  // An editor gives its parser some milliseconds, and half a tree where they do not suffice.
  checked.tree = parser.parse(text)
  checked.analyze()
  return checked.getDiagnostics().map((one: { message: string }) => one.message)
}

/** The metrics that a query reads, and the labels that it matches or groups by. */
export function namesIn(expr: string): { metrics: string[]; labels: string[] } {
  const text = withoutGrafana(expr)
  const metrics = new Set<string>()
  const labels = new Set<string>()
  parser.parse(text).iterate({
    enter: (node: { name: string; from: number; to: number; node: { parent: { name: string } | null } }) => {
      const found = text.slice(node.from, node.to)
      if (node.name === 'Identifier' && node.node.parent?.name === 'VectorSelector') metrics.add(found)
      if (node.name === 'LabelName') labels.add(found)
    },
  })
  return { metrics: [...metrics], labels: [...labels] }
}

function withoutGrafana(expr: string): string {
  return expr.replaceAll(/\$__(rate_interval|interval|range)/g, '5m')
}
