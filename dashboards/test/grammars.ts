import { parser as logql } from '@grafana/lezer-logql'
import { parser as traceql } from '@grafana/lezer-traceql'

interface Tree {
  iterate(visit: { enter(node: { type: { isError: boolean }; from: number; to: number }): void }): void
}

/** Where a query leaves the grammar of LogQL. */
export function logqlErrors(query: string): string[] {
  return errors(query.replaceAll('$__auto', '5m'), text => logql.parse(text))
}

/** Where a query leaves the grammar of TraceQL. */
export function traceqlErrors(query: string): string[] {
  return errors(query.replaceAll('$slow', '500ms'), text => traceql.parse(text))
}

function errors(text: string, parse: (text: string) => Tree): string[] {
  const found: string[] = []
  parse(text).iterate({
    enter: ({ type, from, to }) => {
      if (type.isError) found.push(`at ${from}: ${text.slice(from, to + 20)}`)
    },
  })
  return found
}
