import type { Attributes } from '@opentelemetry/api'
import { ProtobufWriter } from '../otlp/protobuf.ts'
import { attributes } from '../otlp/protobuf-message.ts'

/** The field of a span that has an attribute. */
const attributeField = 9

/**
 * What the SDK itself says of a request, a dozen attributes or so, redacted. As long as nobody asks for them they are not
 * made: a span is written from the bytes that many requests have in common.
 */
export interface Description {
  attributes(): Attributes
  /** The same, as a span has them on the wire. */
  write(to: ProtobufWriter): void
}

export function writeAttributes(to: ProtobufWriter, values: Attributes): void {
  attributes(to, attributeField, values)
}

/** Attributes as they stand on the wire, to be copied from now on. */
export function attributeBytes(values: Attributes): Uint8Array {
  const to = new ProtobufWriter(512)
  writeAttributes(to, values)
  return to.finish()
}
