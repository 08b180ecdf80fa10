/** The callbacks of undici's dispatcher: those of version 7 on (`controller`), or those before (`resume`, `abort`). */
export interface Handler {
  onRequestStart?(controller: Controller, context: unknown): void
  onResponseStart?(controller: Controller, status: number, ...rest: unknown[]): void
  onResponseError?(controller: Controller, error: Error): void
  onConnect?(abort: (reason: Error) => void, ...rest: unknown[]): void
  onHeaders?(status: number, headers: unknown, resume: () => void, message: string): boolean
  onError?(error: Error): void
}
interface Controller {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

interface Hold {
  /** Runs `release` once the answer may go on; the answer cancels it. */
  wait(release: () => void): () => void
  /** The caller's limit for the head of an answer, in ms, which goes on counting while the answer is held. */
  headersTimeoutMs: number | undefined
  after(ms: number, run: () => void): () => void
}

/**
 * A handler that gets its answer later. The request goes out at once and the head of the answer is held, so that the wait lies
 * inside the client's span; the connection is paused meanwhile, and an abort ends the wait.
 */
export function heldAnswer(handler: Handler, hold: Hold): Handler {
  const sentAt = performance.now()
  let queue: (() => void)[] | undefined
  let cancel = () => {}

  const holdBack = (abort: (reason: Error) => void, release: () => void) => {
    queue = []
    const left = hold.headersTimeoutMs ? Math.max(1, hold.headersTimeoutMs - (performance.now() - sentAt)) : undefined
    const stopTimeout = left === undefined ? () => {} : hold.after(left, () => abort(headersTimeout()))
    const stopWait = hold.wait(() => {
      stopTimeout()
      const calls = queue ?? []
      queue = undefined
      release()
      for (const call of calls) call()
    })
    cancel = () => {
      stopTimeout()
      stopWait()
      queue = undefined
    }
  }
  /** What arrives all the same (the end of an answer without a body) keeps its place. */
  const inOrder =
    <A extends unknown[]>(call: (...args: A) => unknown) =>
    (...args: A): unknown => {
      if (queue === undefined) return call(...args)
      queue.push(() => call(...args))
      return true
    }

  let abort: (reason: Error) => void = () => {}
  const held: Record<string, (...args: never[]) => unknown> = {
    onResponseStart(controller: Controller, status: number, ...rest: unknown[]) {
      if (status < 200) return handler.onResponseStart?.(controller, status, ...rest)
      controller.pause()
      holdBack(
        reason => controller.abort(reason),
        () => {
          handler.onResponseStart?.(controller, status, ...rest)
          controller.resume()
        },
      )
    },
    onConnect(abortRequest: (reason: Error) => void, ...rest: unknown[]) {
      abort = abortRequest
      handler.onConnect?.(abortRequest, ...rest)
    },
    onHeaders(status: number, headers: unknown, resume: () => void, message: string) {
      if (status < 200) return handler.onHeaders?.(status, headers, resume, message)
      holdBack(abort, () => {
        if (handler.onHeaders?.(status, headers, resume, message) !== false) resume()
      })
      return false
    },
    onResponseError(controller: Controller, error: Error) {
      cancel()
      handler.onResponseError?.(controller, error)
    },
    onError(error: Error) {
      cancel()
      handler.onError?.(error)
    },
  }
  // A proxy shows exactly the callbacks that the handler has: undici tells the two kinds apart by them.
  return new Proxy(handler, {
    get(target, name) {
      const own = Reflect.get(target, name, target) as unknown
      if (typeof own !== 'function') return own
      if (Object.hasOwn(held, name)) return held[name as string]
      const bound = own.bind(target) as (...args: unknown[]) => unknown
      return deferrable.has(name) ? inOrder(bound) : bound
    },
  })
}

const deferrable = new Set<string | symbol>(['onResponseData', 'onResponseEnd', 'onData', 'onComplete'])

function headersTimeout(): Error {
  const error = new Error('Headers Timeout Error')
  return Object.assign(error, { name: 'HeadersTimeoutError', code: 'UND_ERR_HEADERS_TIMEOUT' })
}
