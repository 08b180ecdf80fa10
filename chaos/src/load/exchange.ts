import type { Dispatcher } from 'undici'
import type { Step } from '../experiment/model.ts'
import type { Origin } from './origins.ts'
import { fillRequest, type PreparedStep } from './prepared-step.ts'
import { type Values, valueAt } from './template.ts'

/** What came of one request. */
export interface Outcome {
  /** When the whole answer had come, or it was given up: ms of `performance.now()`. */
  endedAt: number
  /** 0: no answer. */
  status: number
  error: string | undefined
  ok: boolean
  captured: Values
  /** The beginning of an answer that is not as expected, to show to people. */
  said: string | undefined
}

const nothing: Values = Object.freeze({})

/**
 * One request and its whole answer. A handler of undici's own, without the stream and the promises of `request()`: when a
 * frozen system thaws, hundreds of answers come at once, and whatever each costs makes the next arrival late.
 */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly deadline: number
  readonly #prepared: PreparedStep
  readonly #done: (outcome: Outcome) => void
  #controller: Dispatcher.DispatchController | undefined
  #over = false
  #status = 0
  #chunks: Buffer[] | undefined

  /** `done` is called once, whatever happens. */
  constructor(prepared: PreparedStep, deadline: number, done: (outcome: Outcome) => void) {
    this.#prepared = prepared
    this.deadline = deadline
    this.#done = done
  }

  send({ pool, prefix }: Origin, values: Values): void {
    const { path, headers, body } = fillRequest(this.#prepared, values)
    const method = this.#prepared.step.request.method as Dispatcher.HttpMethod
    try {
      pool.dispatch({ method, path: prefix + path, headers, body }, this)
    } catch (error) {
      this.#fail(codeOf(error))
    }
  }

  giveUp(reason: 'timeout' | 'stopped'): void {
    this.#fail(reason)
    this.#controller?.abort(new Error(reason))
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller
    if (this.#over) controller.abort(new Error('given up'))
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    if (status < 200) return
    this.#status = status
    const { expect, capture } = this.#prepared.step
    const isRead = !expect.status.includes(status) || Object.keys(capture).length > 0
    this.#chunks = isRead ? [] : undefined
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks?.push(chunk)
  }

  onResponseEnd(): void {
    const { step } = this.#prepared
    const outcome: Outcome = {
      endedAt: performance.now(),
      status: this.#status,
      error: undefined,
      ok: step.expect.status.includes(this.#status),
      captured: nothing,
      said: undefined,
    }
    if (this.#chunks) {
      const text = Buffer.concat(this.#chunks).toString()
      if (outcome.ok) capture(step, text, outcome)
      if (!outcome.ok) outcome.said = text.slice(0, 300)
    }
    this.#finish(outcome)
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#fail(codeOf(error))
  }

  #fail(error: string): void {
    this.#finish({ endedAt: performance.now(), status: 0, error, ok: false, captured: nothing, said: undefined })
  }

  #finish(outcome: Outcome): void {
    if (this.#over) return
    this.#over = true
    this.#done(outcome)
  }
}

function capture(step: Step, text: string, outcome: Outcome): void {
  const captured: Record<string, unknown> = {}
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    outcome.ok = false
    outcome.error = 'the answer is not JSON'
    return
  }
  for (const [name, path] of Object.entries(step.capture)) {
    captured[name] = valueAt(json, path)
    if (captured[name] !== undefined) continue
    outcome.ok = false
    outcome.error = `no ${path} in the answer`
    return
  }
  outcome.captured = captured
}

function codeOf(error: unknown): string {
  const { code, name, cause } = error as { code?: string; name?: string; cause?: { code?: string } }
  return cause?.code ?? code ?? name ?? 'unknown'
}
