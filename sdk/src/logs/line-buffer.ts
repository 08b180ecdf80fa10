/** A growing stretch of text, written piece by piece: a string of so many pieces is a tree, which is dear to write out. */
export class LineBuffer {
  #bytes: Buffer
  #at = 0

  constructor(capacity: number) {
    // Not of the pool: it lives as long as the process.
    this.#bytes = Buffer.allocUnsafeSlow(capacity)
  }

  get length(): number {
    return this.#at
  }

  get written(): Buffer {
    return this.#bytes.subarray(0, this.#at)
  }

  /** Takes back what was written beyond `length`. */
  shorten(length: number): void {
    this.#at = length
  }

  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#bytes.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** For short text of ASCII characters alone: a loop is faster then than a call out of JavaScript. */
  ascii(text: string): void {
    this.#room(text.length)
    for (let at = 0; at < text.length; at++) this.#bytes[this.#at++] = text.charCodeAt(at)
  }

  text(text: string): void {
    // A character of a string is at most three bytes of UTF-8.
    this.#room(3 * text.length)
    this.#at += this.#bytes.write(text, this.#at)
  }

  /** The last digits of a whole number from 0 on, as many as are asked for. */
  digits(value: number, count: number): void {
    this.#room(count)
    let rest = value
    for (let at = this.#at + count - 1; at >= this.#at; at--) {
      const tenth = Math.floor(rest / 10)
      this.#bytes[at] = 0x30 + rest - 10 * tenth
      rest = tenth
    }
    this.#at += count
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#bytes.length) return
    const grown = Buffer.allocUnsafeSlow(Math.max(2 * this.#bytes.length, this.#at + bytes))
    this.#bytes.copy(grown, 0, 0, this.#at)
    this.#bytes = grown
  }
}
