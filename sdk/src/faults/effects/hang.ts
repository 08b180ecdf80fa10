import { connectionReset } from '../connection-reset.ts'
import type { Ending } from './effect.ts'

/** Gives no answer until the fault ends or the client goes; then resets the connection. */
export const hang: Ending<'hang'> = {
  kind: 'hang',
  parse: () => ({ kind: 'hang' }),
  inbound(_effect, exchange, lease) {
    exchange.onGone(lease.onEnd(() => exchange.reset()))
  },
  outbound(_effect, socket, lease) {
    socket.once(
      'close',
      lease.onEnd(() => socket.reset()),
    )
  },
  connection(_effect, socket, lease) {
    socket.once(
      'close',
      lease.onEnd(() => socket.destroy(connectionReset())),
    )
  },
}
