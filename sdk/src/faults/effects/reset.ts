import { connectionReset } from '../connection-reset.ts'
import type { Ending } from './effect.ts'

/** Resets the connection before any answer. */
export const reset: Ending<'reset'> = {
  kind: 'reset',
  parse: () => ({ kind: 'reset' }),
  inbound: (_effect, exchange) => exchange.reset(),
  outbound: (_effect, socket) => socket.reset(),
  connection: (_effect, socket) => void socket.destroy(connectionReset()),
}
