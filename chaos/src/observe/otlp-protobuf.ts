import type { Attributes, RawSpan } from './spans.ts'

/** The spans of an `ExportTraceServiceRequest` in protobuf, each with the attributes of its resource. Throws on anything else. */
export function spansFromProtobuf(bytes: Buffer): { resource: Attributes; span: RawSpan }[] {
  return parts(bytes, 1).flatMap(ofResource => {
    const [described] = parts(ofResource, 1)
    const resource = described ? attributesOf(described, 1) : {}
    return parts(ofResource, 2)
      .flatMap(ofScope => parts(ofScope, 2))
      .map(message => ({ resource, span: spanFrom(message) }))
  })
}

function spanFrom(message: Buffer): RawSpan {
  const all = [...fieldsOf(message)]
  const bytes = (number: number) => all.find(field => field.number === number)?.bytes
  const integer = (number: number) => all.find(field => field.number === number)?.integer ?? 0n
  const status = bytes(15)
  return {
    traceId: bytes(1)?.toString('hex') ?? '',
    spanId: bytes(2)?.toString('hex') ?? '',
    parentId: bytes(4)?.toString('hex') ?? '',
    name: bytes(5)?.toString() ?? '',
    kind: Number(integer(6)),
    startMs: Number(integer(7)) / 1e6,
    endMs: Number(integer(8)) / 1e6,
    statusCode: status ? Number([...fieldsOf(status)].find(field => field.number === 3)?.integer ?? 0n) : 0,
    attributes: attributesOf(message, 9),
  }
}

/** The `KeyValue`s in the fields of this number; lists and maps are left out. */
function attributesOf(message: Buffer, number: number): Attributes {
  const attributes: Attributes = {}
  for (const pair of parts(message, number)) {
    const [key] = parts(pair, 1)
    const [value] = parts(pair, 2)
    if (!key || !value) continue
    const [field] = fieldsOf(value)
    if (field?.number === 1) attributes[key.toString()] = field.bytes.toString()
    if (field?.number === 2) attributes[key.toString()] = field.integer === 1n
    if (field?.number === 3) attributes[key.toString()] = Number(BigInt.asIntN(64, field.integer))
    if (field?.number === 4) attributes[key.toString()] = field.bytes.readDoubleLE()
  }
  return attributes
}

const nothing = Buffer.alloc(0)

const parts = (message: Buffer, number: number): Buffer[] =>
  [...fieldsOf(message)].filter(field => field.number === number).map(field => field.bytes)

/** The fields of one message, in order; of the wire types that OTLP has. */
function* fieldsOf(message: Buffer): Generator<{ number: number; bytes: Buffer; integer: bigint }> {
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined || shift > 63n) throw new Error('not protobuf: a number without an end')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    const wire = tag & 7
    if (wire === 0) {
      yield { number: tag >> 3, bytes: nothing, integer: varint() }
      continue
    }
    if (wire !== 1 && wire !== 2 && wire !== 5) throw new Error(`not protobuf: wire type ${wire}`)
    const length = wire === 2 ? Number(varint()) : wire === 1 ? 8 : 4
    const bytes = message.subarray(at, at + length)
    if (bytes.length < length) throw new Error('not protobuf: a field runs over the end of its message')
    at += length
    const integer = wire === 1 ? bytes.readBigUInt64LE() : wire === 5 ? BigInt(bytes.readUInt32LE()) : 0n
    yield { number: tag >> 3, bytes, integer }
  }
}
