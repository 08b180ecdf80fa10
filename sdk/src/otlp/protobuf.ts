/** A stretch of what a writer has written. It stays as it is: what is written later stands behind it. */
export interface Written {
  bytes: Buffer
  from: number
  to: number
}

/** Writes protobuf fields into one growing buffer; lengths are reserved as padded varints, so nothing is copied. */
export class ProtobufWriter {
  #bytes: Buffer
  #at = 0

  constructor(capacity = 16_384) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  get length(): number {
    return this.#at
  }

  /** Bytes that can be written before the buffer has to grow. */
  get room(): number {
    return this.#bytes.length - this.#at
  }

  since(from: number): Written {
    return { bytes: this.#bytes, from, to: this.#at }
  }

  /** Adds what another one has written. */
  copy({ bytes, from, to }: Written): void {
    this.#room(to - from)
    this.#at += bytes.copy(this.#bytes, this.#at, from, to)
  }

  /** Adds fields that are written already. */
  raw(fields: Uint8Array): void {
    this.#room(fields.length)
    this.#bytes.set(fields, this.#at)
    this.#at += fields.length
  }

  /** Opens a nested message; pass what it returns to `close`. */
  open(field: number): number {
    this.#tag(field, 2)
    this.#room(4)
    this.#at += 4
    return this.#at
  }

  close(start: number): void {
    const length = this.#at - start
    this.#bytes[start - 4] = (length & 0x7f) | 0x80
    this.#bytes[start - 3] = ((length >>> 7) & 0x7f) | 0x80
    this.#bytes[start - 2] = ((length >>> 14) & 0x7f) | 0x80
    this.#bytes[start - 1] = (length >>> 21) & 0x7f
  }

  /** As `open`, for a message that is hardly ever as long as 128 bytes; pass what it returns to `closeSmall`. */
  openSmall(field: number): number {
    this.#tag(field, 2)
    this.#room(1)
    this.#at += 1
    return this.#at
  }

  closeSmall(start: number): void {
    const length = this.#at - start
    if (length < 0x80) {
      this.#bytes[start - 1] = length
      return
    }
    this.#room(3)
    this.#bytes.copyWithin(start + 3, start, this.#at)
    this.#at += 3
    this.close(start + 3)
  }

  /** `field` is below 16, as in `hex`. */
  string(field: number, value: string): void {
    this.#room(value.length + 4)
    if (value.length < 64 && this.#shortAscii(field, value)) return
    const length = Buffer.byteLength(value)
    this.#tag(field, 2)
    this.#varint(length)
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at)
  }

  /** Most strings are short and plain: a loop is faster for them than a call out of JavaScript. */
  #shortAscii(field: number, value: string): boolean {
    const bytes = this.#bytes
    const start = this.#at + 2
    for (let at = 0; at < value.length; at++) {
      const code = value.charCodeAt(at)
      if (code > 0x7f) return false
      bytes[start + at] = code
    }
    bytes[this.#at] = field * 8 + 2
    bytes[this.#at + 1] = value.length
    this.#at = start + value.length
    return true
  }

  hex(field: number, value: string): void {
    const length = value.length / 2
    this.#room(length + 4)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = field * 8 + 2
    bytes[at++] = length
    for (let digit = 0; digit < value.length; digit += 2)
      bytes[at++] = (nibble(value.charCodeAt(digit)) << 4) | nibble(value.charCodeAt(digit + 1))
    this.#at = at
  }

  unsigned(field: number, value: number): void {
    this.#tag(field, 0)
    this.#varint(value)
  }

  signed(field: number, value: number): void {
    this.#tag(field, 0)
    if (value >= 0) {
      this.#varint(value)
      return
    }
    let rest = BigInt.asUintN(64, BigInt(value))
    this.#room(10)
    while (rest > 0x7fn) {
      this.#bytes[this.#at++] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    this.#bytes[this.#at++] = Number(rest)
  }

  /** Nanoseconds since the epoch, of ms with fractions: they do not fit into a number. */
  nanos(field: number, ms: number): void {
    const whole = Math.floor(ms)
    const high = Math.floor(whole / 0x10000)
    const upper = high * 1e6
    const lower = (upper % 0x10000) * 0x10000 + (whole % 0x10000) * 1e6 + Math.round((ms - whole) * 1e6)
    this.#tag(field, 1)
    this.#room(8)
    this.#at = this.#bytes.writeUInt32LE(lower % 0x1_0000_0000, this.#at)
    this.#at = this.#bytes.writeUInt32LE(Math.floor(upper / 0x10000) + Math.floor(lower / 0x1_0000_0000), this.#at)
  }

  fixed64(field: number, value: bigint): void {
    this.#tag(field, 1)
    this.#room(8)
    this.#at = this.#bytes.writeBigUInt64LE(value, this.#at)
  }

  fixed32(field: number, value: number): void {
    this.#tag(field, 5)
    this.#room(4)
    this.#at = this.#bytes.writeUInt32LE(value, this.#at)
  }

  double(field: number, value: number): void {
    this.#tag(field, 1)
    this.#room(8)
    this.#at = this.#bytes.writeDoubleLE(value, this.#at)
  }

  packedFixed64(field: number, values: readonly number[]): void {
    const start = this.open(field)
    this.#room(values.length * 8)
    for (const value of values) this.#at = this.#bytes.writeBigUInt64LE(BigInt(value), this.#at)
    this.close(start)
  }

  packedDoubles(field: number, values: readonly number[]): void {
    const start = this.open(field)
    this.#room(values.length * 8)
    for (const value of values) this.#at = this.#bytes.writeDoubleLE(value, this.#at)
    this.close(start)
  }

  #tag(field: number, wire: number): void {
    this.#varint(field * 8 + wire)
  }

  #varint(value: number): void {
    this.#room(10)
    if (value < 0x80) {
      this.#bytes[this.#at++] = value
      return
    }
    let rest = value
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80
      rest = Math.floor(rest / 128)
    }
    this.#bytes[this.#at++] = rest
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#at + bytes))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}

/** Of a hex digit, in either case. */
function nibble(code: number): number {
  return (code & 0xf) + (code > 0x39 ? 9 : 0)
}
