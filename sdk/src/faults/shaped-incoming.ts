import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Clock } from './clock.ts'
import { ShapedBody } from './shaped-body.ts'
import type { Strike } from './strike.ts'

/** The answer to a request of node:http gets its body through the valves, from before its caller first sees it. */
export function shapeIncoming(request: ClientRequest, shapes: Strike['shapes'], clock: Clock): void {
  const { emit } = request
  request.emit = function (this: ClientRequest, event: string, ...args: unknown[]) {
    if (event === 'response') throughValves(args[0] as IncomingMessage, shapes, clock)
    return emit.call(this, event, ...args)
  } as typeof emit
}

function throughValves(response: IncomingMessage, shapes: Strike['shapes'], clock: Clock): void {
  const push = response.push.bind(response)
  const body = new ShapedBody(shapes, clock, {
    pass: piece => void push(piece),
    end: () => void push(null),
    cut: () => response.destroy(Object.assign(new Error('aborted'), { code: 'ECONNRESET' })),
    // The next read of the caller's starts the connection again.
    drained: () => {},
  })
  response.push = chunk => {
    if (chunk === null) body.end()
    else body.add(chunk as Uint8Array)
    // `false` stops the connection.
    return body.waiting === 0
  }
  response.once('close', () => body.stop())
}
