import { burdens } from './burdens/index.ts'
import { effects } from './effects/index.ts'
import { Fields } from './fields.ts'
import { tagPattern } from './tag.ts'
import {
  type ArmRequest,
  type FaultEffect,
  type FaultMatch,
  faultIdPattern,
  type LeaseRequest,
  type Schedule,
} from './wire.ts'

/** Reads the body of `PUT /faults/{id}`; throws `FieldError`. */
export function parseArmRequest(body: unknown): ArmRequest {
  const fields = new Fields(body)
  const effectFields = fields.object('effect')
  const effect = parseEffect(effectFields)
  effectFields.done()
  const request: ArmRequest = {
    effect,
    match: parseMatch(fields.object('match'), effect.kind),
    percent: fields.number('percent', { min: 0, max: 100 }),
    scope: fields.oneOf('scope', ['request', 'attempt']),
    seed: fields.number('seed', { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, integer: true }),
    leaseMs: parseLeaseMs(fields),
  }
  if (fields.has('schedule')) request.schedule = parseSchedule(fields.object('schedule'), effect)
  fields.done()
  return request
}

function parseEffect(fields: Fields): FaultEffect {
  const kind = fields.oneOf('kind', [...kindsOf(effects), ...kindsOf(burdens)])
  return kind in burdens
    ? burdens[kind as keyof typeof burdens].parse(fields)
    : effects[kind as keyof typeof effects].parse(fields)
}

const kindsOf = <T extends object>(registry: T) => Object.keys(registry) as (keyof T)[]

function parseSchedule(fields: Fields, effect: FaultEffect): Schedule {
  const schedule: Schedule = {}
  const ms = { min: 1, max: 86_400_000 }
  if (fields.has('ageMs')) schedule.ageMs = fields.number('ageMs', { ...ms, min: 0 })
  if (fields.has('ramp')) {
    const ramp = fields.object('ramp')
    const of = ramp.oneOf('of', effect.kind === 'latency' ? ['percent', 'delay'] : ['percent'])
    schedule.ramp = { of, overMs: ramp.number('overMs', ms) }
    ramp.done()
  }
  if (fields.has('pulse')) {
    const pulse = fields.object('pulse')
    schedule.pulse = { onMs: pulse.number('onMs', ms), offMs: pulse.number('offMs', ms) }
    pulse.done()
  }
  fields.done()
  return schedule
}

/** Reads the body of `POST /lease`; throws `FieldError`. */
export function parseLeaseRequest(body: unknown): LeaseRequest {
  const fields = new Fields(body)
  const ids = fields.strings('ids', 1000, 'a fault id ([A-Za-z0-9._-], 1 to 64 characters)', id =>
    faultIdPattern.test(id),
  )
  const lease = { ids, leaseMs: parseLeaseMs(fields) }
  fields.done()
  return lease
}

/** Bytes mean nothing to a connection whose protocol nobody knows: no answer can be made up for it, and none has an end. */
const ofTcp: FaultEffect['kind'][] = ['latency', 'reset', 'hang']

function parseMatch(fields: Fields, kind: FaultEffect['kind']): FaultMatch {
  const fitting =
    kind in burdens
      ? (['process'] as const)
      : (['inbound', 'outbound', ...(ofTcp.includes(kind) ? (['tcp'] as const) : [])] as const)
  const match: FaultMatch = { direction: fields.oneOf('direction', fitting) }
  if (match.direction === 'process') {
    fields.done()
    return match
  }
  if (fields.has('tag'))
    match.tag = fields.string('tag', '1 to 64 letters, digits, _ and -', tag => tagPattern.test(tag))
  const peer = () => fields.strings('peers', 1000, '`host:port`', peer => /^[^\s/@]+:\d{1,5}$/.test(peer))
  if (match.direction === 'tcp') {
    match.peers = peer()
    fields.done()
    return match
  }
  if (fields.has('method'))
    match.method = fields.string('method', 'an HTTP method in capitals', method => /^[A-Z][A-Z-]{0,19}$/.test(method))
  if (fields.has('path'))
    match.path = fields.string(
      'path',
      'a path from / on, without a query, `*` only as the last segment',
      path => /^\/[^?#\s]*$/.test(path) && path.length <= 2048 && !/(^|\/)\*(?=\/)/.test(path),
    )
  if (fields.has('headers'))
    match.headers = fields.texts('headers', 20, 'a header in small letters', name =>
      /^[a-z0-9!#$&'*+.^_`|~-]{1,80}$/.test(name),
    )
  if (match.direction === 'outbound' && fields.has('peers')) match.peers = peer()
  if (match.direction === 'inbound' && fields.has('from'))
    match.from = fields.string('from', 'the name of a service', from => from.length > 0 && from.length <= 255)
  fields.done()
  return match
}

const parseLeaseMs = (fields: Fields) => fields.number('leaseMs', { min: 100, max: 60_000 })
