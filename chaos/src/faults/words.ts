import type { RequestFaultSpec } from '../experiment/model.ts'

/** `250 ms`, `2 s`, `1.5 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Number((ms / 1000).toFixed(2))} s`
}

/** `on 100 % of POST /charges from orders to payments`. */
export function whichRequests(spec: RequestFaultSpec): string {
  const what = [spec.method, spec.path].filter(Boolean).join(' ') || 'requests'
  const from = spec.from ? ` from ${spec.from}` : ''
  return `on ${spec.percent} % of ${what}${from} to ${spec.service}${spec.scope === 'attempt' ? ', each attempt anew' : ''}`
}

/** `1 instance of orders`, `2 instances of orders`. */
export function howMany(count: number, service: string): string {
  return `${count} ${count === 1 ? 'instance' : 'instances'} of ${service}`
}
