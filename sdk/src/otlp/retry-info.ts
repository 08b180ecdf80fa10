/**
 * How long a gRPC server wants to be left alone, in ms: the `RetryInfo` among the details of its status, as they stand in the
 * trailer `grpc-status-details-bin`. `undefined` where there is none; 0 where it leaves the wait to the client.
 */
export function retryDelayMs(details: Uint8Array): number | undefined {
  try {
    // google.rpc.Status { details = 3 Any { type_url = 1, value = 2 RetryInfo { retry_delay = 1 Duration } } }
    for (const detail of all(fieldsOf(details), 3)) {
      const any = [...fieldsOf(detail)]
      const [type] = all(any, 1)
      if (
        !Buffer.from(type ?? [])
          .toString()
          .endsWith('/google.rpc.RetryInfo')
      )
        continue
      const [info = new Uint8Array()] = all(any, 2)
      const [delay = new Uint8Array()] = all(fieldsOf(info), 1)
      const duration = new Map(fieldsOf(delay))
      const [seconds, nanos] = [1, 2].map(number => Number(duration.get(number) ?? 0)) as [number, number]
      return seconds * 1_000 + nanos / 1e6
    }
  } catch {
    // No status of google.rpc: the trailer is anybody's.
  }
  return undefined
}

type Field = [number: number, value: bigint | Uint8Array]

const all = (fields: Iterable<Field>, wanted: number): Uint8Array[] =>
  [...fields].flatMap(([number, value]) => (number === wanted && typeof value !== 'bigint' ? [value] : []))

/** The fields of a protobuf message that are varints, or bytes of a length. Throws where it ends early or holds others. */
function* fieldsOf(message: Uint8Array): Generator<Field> {
  let at = 0
  const varint = (): bigint => {
    for (let value = 0n, shift = 0n; ; shift += 7n) {
      const byte = message[at++]
      if (byte === undefined || shift > 63n) throw new Error('no varint')
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return BigInt.asIntN(64, value)
    }
  }
  while (at < message.length) {
    const tag = Number(varint())
    if (tag % 8 === 0) yield [tag >> 3, varint()]
    else if (tag % 8 === 2) {
      const end = Number(varint()) + at
      if (end < at || end > message.length) throw new Error('no length')
      yield [tag >> 3, message.subarray(at, end)]
      at = end
    } else throw new Error(`a field of kind ${tag % 8}`)
  }
}
