import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fields } from '../test/otlp-receiver.ts'

export type Mood = 'up' | 'down' | 'hanging' | 'unavailable'

/** A collector that can go away, fall silent and come back on its own port. What arrives twice counts once. */
export class Collector {
  readonly spanIds = new Set<string>()
  #server: Server | undefined
  #port = 0
  #mood: Mood = 'down'

  get url(): string {
    return `http://127.0.0.1:${this.#port}`
  }

  async be(mood: Mood): Promise<void> {
    if (mood !== 'down' && !this.#server) await this.#listen()
    if (mood === 'down') await this.#close()
    // Who is waiting for an answer while it hangs has lost that connection.
    if (this.#mood === 'hanging') this.#server?.closeAllConnections()
    this.#mood = mood
  }

  async #listen(): Promise<void> {
    const server = createServer((request, response) => {
      const chunks: Buffer[] = []
      request.on('data', chunk => chunks.push(chunk)).on('error', () => {})
      request.on('end', () => {
        if (this.#mood === 'hanging') return
        if (this.#mood === 'up') this.#take(Buffer.concat(chunks))
        response.writeHead(this.#mood === 'up' ? 200 : 503).end()
      })
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject).listen(this.#port, '127.0.0.1', resolve)
    })
    this.#server = server
    this.#port = (server.address() as AddressInfo).port
  }

  async #close(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    const closed = new Promise(resolve => server.close(resolve))
    server.closeAllConnections()
    await closed
  }

  #take(message: Buffer): void {
    const all = (bytes: Buffer, number: number) => fields(bytes).filter(field => field.number === number)
    for (const ofResource of all(message, 1)) {
      for (const ofScope of all(ofResource.bytes, 2)) {
        for (const { bytes } of all(ofScope.bytes, 2)) {
          this.spanIds.add(all(bytes, 2)[0]!.bytes.toString('hex'))
        }
      }
    }
  }
}
