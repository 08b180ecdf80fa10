/** Writes protobuf fields into one growing buffer; lengths are reserved as padded varints, so nothing is copied. */
export class ProtobufWriter {
  #bytes: Buffer
  #at = 0

  constructor(capacity = 16_384) {
    this.#bytes = Buffer.allocUnsafe(capacity)
  }

  finish(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#at))
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

  string(field: number, value: string): void {
    const length = Buffer.byteLength(value)
    this.#tag(field, 2)
    this.#varint(length)
    this.#room(length)
    this.#at += this.#bytes.write(value, this.#at)
  }

  hex(field: number, value: string): void {
    this.#tag(field, 2)
    this.#varint(value.length / 2)
    this.#room(value.length / 2)
    this.#at += this.#bytes.write(value, this.#at, 'hex')
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
