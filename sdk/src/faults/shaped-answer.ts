import type { Clock } from './clock.ts'
import type { Handler } from './held-answer.ts'
import { ShapedBody } from './shaped-body.ts'
import type { Strike } from './strike.ts'

type Resume = () => void
interface Controller {
  pause(): void
  resume(): void
  abort(reason: Error): void
}

/** A handler of undici's, of either kind (see `Handler`), whose answer's body comes through the valves. */
export function shapedAnswer(handler: Handler, shapes: Strike['shapes'], clock: Clock): Handler {
  const to = handler as Record<string, ((...args: unknown[]) => unknown) | undefined>
  let pass = (_piece: Uint8Array): unknown => true
  let end = (): unknown => undefined
  let resume: Resume = () => {}
  let fail = (_reason: Error): unknown => undefined
  let abort: (reason: Error) => void = () => {}
  let over = false

  const body = new ShapedBody(shapes, clock, {
    pass: piece => void pass(piece),
    end: () => void end(),
    cut() {
      const reason = Object.assign(new Error('other side closed'), { name: 'SocketError', code: 'UND_ERR_SOCKET' })
      over = true
      // In the turn that brings the head, fetch does not yet listen for an end.
      setImmediate(() => {
        fail(reason)
        abort(reason)
      })
    },
    drained: () => resume(),
  })
  const failed = (call: string) =>
    function onError(...args: unknown[]) {
      body.stop()
      return over ? undefined : to[call]?.(...args)
    }
  const shaped: Record<string, (...args: never[]) => unknown> = {
    onResponseData(controller: Controller, chunk: Uint8Array) {
      if (over) return
      pass = piece => to.onResponseData?.(controller, piece)
      resume = () => controller.resume()
      fail = reason => to.onResponseError?.(controller, reason)
      abort = reason => controller.abort(reason)
      body.add(chunk)
      if (body.waiting > 0 || over) controller.pause()
    },
    onResponseEnd(...args: unknown[]) {
      if (over) return
      end = () => to.onResponseEnd?.(...args)
      body.end()
    },
    onResponseError: failed('onResponseError'),
    onConnect(abortRequest: (reason: Error) => void, ...rest: unknown[]) {
      abort = abortRequest
      return to.onConnect?.(abortRequest, ...rest)
    },
    onHeaders(status: number, headers: unknown, resumeConnection: Resume, message: string) {
      resume = resumeConnection
      return to.onHeaders?.(status, headers, resumeConnection, message)
    },
    onData(chunk: Uint8Array) {
      pass = piece => to.onData?.(piece)
      fail = reason => to.onError?.(reason)
      body.add(chunk)
      return body.waiting === 0 && !over
    },
    onComplete(...args: unknown[]) {
      end = () => to.onComplete?.(...args)
      if (!over) body.end()
      return true
    },
    onError: failed('onError'),
  }
  // A proxy shows exactly the callbacks that the handler has: undici tells the two kinds apart by them.
  return new Proxy(handler, {
    get(target, name) {
      const own = Reflect.get(target, name, target) as unknown
      if (typeof own !== 'function') return own
      return Object.hasOwn(shaped, name) ? shaped[name as string] : own.bind(target)
    },
  })
}
