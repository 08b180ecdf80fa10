import { effects } from './effects/index.ts'
import { Fields } from './fields.ts'
import { type ArmRequest, type FaultMatch, faultIdPattern, type LeaseRequest } from './wire.ts'

/** Reads the body of `PUT /faults/{id}`; throws `FieldError`. */
export function parseArmRequest(body: unknown): ArmRequest {
  const fields = new Fields(body)
  const effectFields = fields.object('effect')
  const kind = effectFields.oneOf('kind', Object.keys(effects) as (keyof typeof effects)[])
  const effect = effects[kind].parse(effectFields)
  effectFields.done()
  const request: ArmRequest = {
    effect,
    match: parseMatch(fields.object('match')),
    percent: fields.number('percent', { min: 0, max: 100 }),
    scope: fields.oneOf('scope', ['request', 'attempt']),
    seed: fields.number('seed', { min: Number.MIN_SAFE_INTEGER, max: Number.MAX_SAFE_INTEGER, integer: true }),
    leaseMs: parseLeaseMs(fields),
  }
  fields.done()
  return request
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

function parseMatch(fields: Fields): FaultMatch {
  const match: FaultMatch = { direction: fields.oneOf('direction', ['inbound', 'outbound']) }
  if (fields.has('method'))
    match.method = fields.string('method', 'an HTTP method in capitals', method => /^[A-Z][A-Z-]{0,19}$/.test(method))
  if (fields.has('path'))
    match.path = fields.string(
      'path',
      'a path from / on, without a query, `*` only as the last segment',
      path => /^\/[^?#\s]*$/.test(path) && path.length <= 2048 && !/(^|\/)\*(?=\/)/.test(path),
    )
  if (match.direction === 'outbound' && fields.has('peers'))
    match.peers = fields.strings('peers', 1000, '`host:port`', peer => /^[^\s/@]+:\d{1,5}$/.test(peer))
  if (match.direction === 'inbound' && fields.has('from'))
    match.from = fields.string('from', 'the name of a service', from => from.length > 0 && from.length <= 255)
  fields.done()
  return match
}

const parseLeaseMs = (fields: Fields) => fields.number('leaseMs', { min: 100, max: 60_000 })
