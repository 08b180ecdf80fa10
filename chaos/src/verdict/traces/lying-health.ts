import type { TraceSpan } from '../../observe/spans.ts'

const healthRoute = /\s\/(health|healthz|readyz?|livez?|ready|live|ping|status)$/i
/** A check has lied when so many of the answers that followed it were errors, of so many at least. */
const afterMs = 1000
const fewestAnswers = 3
const brokenShare = 0.9

/** Health checks that an instance answered well, and then failed nearly everything; the service, once for each check. */
export function lyingHealthChecks(spans: readonly TraceSpan[]): { service: string; at: number }[] {
  const byInstance = Map.groupBy(
    // What an injected fault did is not the service's own doing.
    spans.filter(span => span.kind === 'server' && span.faultId === undefined),
    span => `${span.service} ${span.instance}`,
  )
  return [...byInstance.values()].flatMap(ofInstance => {
    const checks = ofInstance.filter(span => healthRoute.test(span.name))
    const others = ofInstance.filter(span => !healthRoute.test(span.name))
    return checks
      .filter(check => check.status >= 200 && check.status < 300)
      .filter(check => {
        const after = others.filter(span => span.end >= check.end && span.end - check.end <= afterMs)
        const failed = after.filter(span => span.status >= 500).length
        return after.length >= fewestAnswers && failed / after.length >= brokenShare
      })
      .map(check => ({ service: check.service, at: check.end }))
  })
}
