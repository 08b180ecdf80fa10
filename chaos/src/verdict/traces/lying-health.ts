import type { TraceSpan } from '../../observe/spans.ts'

const healthRoute = /\s\/(health|healthz|readyz?|livez?|ready|live|ping|status)$/i
/** An instance is broken at a moment when so many of its answers around it, at least, were errors. */
const aroundMs = 500
const fewestAnswers = 3
const brokenShare = 0.9

/** Health checks that an instance answered well while it failed nearly everything else; the service, once for each check. */
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
        const around = others.filter(span => Math.abs(span.end - check.end) <= aroundMs)
        const failed = around.filter(span => span.status >= 500).length
        return around.length >= fewestAnswers && failed / around.length >= brokenShare
      })
      .map(check => ({ service: check.service, at: check.end }))
  })
}
