import { subscribe } from 'node:diagnostics_channel'
import type { Notice } from '../notice.ts'

/**
 * Looks at a channel's messages. Node turns what a subscriber throws into an uncaught exception of the app: here it becomes
 * a notice.
 */
export function watchChannel<Message>(name: string, notice: Notice, look: (message: Message) => void): void {
  subscribe(name, message => {
    try {
      look(message as Message)
    } catch (error) {
      notice(`a request is not observed, ${name} failed: ${String(error)}`)
    }
  })
}
