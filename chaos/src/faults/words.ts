import type { RequestFaultSpec } from '../experiment/model.ts'
import { shown } from '../secrets.ts'

/** `250 ms`, `2 s`, `1.5 s`. */
export function duration(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${Number((ms / 1000).toFixed(2))} s`
}

/** `on 100 % of POST /charges from orders to payments`. */
export function whichRequests(spec: RequestFaultSpec): string {
  const what = [spec.method, spec.path].filter(Boolean).join(' ') || 'requests'
  const bearing = Object.entries(spec.headers ?? {}).map(([name, value]) => `${name}: ${shown(name, value)}`)
  const headers = bearing.length > 0 ? ` with ${bearing.join(', ')}` : ''
  const from = spec.from ? ` from ${spec.from}` : ''
  const among = spec.among === undefined ? '' : ` in ${howMany(spec.among, spec.from ?? spec.service)}`
  const scope = spec.scope === 'attempt' ? ', each attempt anew' : ''
  const traffic = spec.traffic === 'load' ? ', of this load alone' : ''
  return `on ${spec.percent} % of ${what}${headers}${from} to ${spec.service}${among}${traffic}${scope}${schedule(spec)}`
}

/** `1 instance of orders`, `2 instances of orders`. */
export function howMany(count: number, service: string): string {
  return `${count} ${count === 1 ? 'instance' : 'instances'} of ${service}`
}

function schedule({ ramp, pulse }: RequestFaultSpec): string {
  const climbing = ramp ? `, its ${ramp.of} climbing for ${duration(ramp.overMs)}` : ''
  return `${climbing}${pulse ? `, on for ${duration(pulse.onMs)} and off for ${duration(pulse.offMs)} in turns` : ''}`
}
