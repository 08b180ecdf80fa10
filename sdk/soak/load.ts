import { Agent, get } from 'node:http'

export interface Sample {
  /** When the request was to begin, in ms since the epoch. */
  at: number
  /** From then on, so that a late load generator hides nothing. */
  ms: number
}

/** An open load: requests begin when they are due, whether or not those before them are answered. */
export class Load {
  samples: Sample[] = []
  /** By their codes. */
  readonly errors: Record<string, number> = {}
  open = 0
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 128 })
  readonly #url: string
  readonly #timer: NodeJS.Timeout
  #made = 0

  constructor(port: number, ratePerSecond: number) {
    this.#url = `http://127.0.0.1:${port}/orders/`
    const begun = Date.now()
    this.#timer = setInterval(() => {
      const due = ((Date.now() - begun) * ratePerSecond) / 1_000
      for (; this.#made < due; this.#made++) this.#send(begun + (this.#made * 1_000) / ratePerSecond)
    }, 2)
  }

  /** No further requests; resolves when the open ones are answered. */
  async stop(): Promise<void> {
    clearInterval(this.#timer)
    while (this.open > 0) await new Promise(resolve => setTimeout(resolve, 10))
    this.#agent.destroy()
  }

  #send(at: number): void {
    this.open++
    const end = (failure: string | undefined) => {
      this.open--
      if (failure) this.errors[failure] = (this.errors[failure] ?? 0) + 1
      else this.samples.push({ at, ms: Date.now() - at })
    }
    get(this.#url + this.#made, { agent: this.#agent }, response => {
      response.resume().on('end', () => end(response.statusCode === 200 ? undefined : String(response.statusCode)))
    }).on('error', (error: NodeJS.ErrnoException) => end(error.code ?? error.message))
  }
}
