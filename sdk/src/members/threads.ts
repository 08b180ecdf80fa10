import {
  BroadcastChannel,
  getEnvironmentData,
  isMainThread,
  setEnvironmentData,
  threadId,
  type Worker,
} from 'node:worker_threads'
import type { Members, Report, Request } from './members.ts'

const channelName = 'shaketable'

type Message =
  | { from: number; is: 'here' | 'gone' }
  | { from: number; is: 'report'; report: Report; answer: Request }
  | { to: number; is: Request }

const nameOf = (id: number) => `thread ${id}`

/** The main thread's end: every thread with the SDK, whoever has started it, becomes a member. */
export function leadThreads(members: Members): void {
  const hear = (message: Message, channel: BroadcastChannel) => {
    if ('to' in message) return
    const name = nameOf(message.from)
    if (message.is === 'report') members.reported(name, message.report, message.answer)
    else if (message.is === 'gone') members.left(name)
    else {
      const ask = (is: Request) => channel.postMessage({ to: message.from, is } satisfies Message)
      members.joined({ name, kind: 'thread', ask })
    }
  }
  let listening = false
  process.on('worker', (worker: Worker) => {
    if (!listening) open(hear)
    listening = true
    const name = nameOf(worker.threadId)
    // What it has posted at its end is read first.
    worker.once('exit', () => setImmediate(() => members.left(name)))
  })
}

/** A thread's end. */
export class ThreadSeat {
  readonly #channel: BroadcastChannel
  readonly #report: () => Promise<Report>

  constructor(report: () => Promise<Report>, carryOut: (request: 'drain' | 'flush') => Promise<void>) {
    this.#report = report
    this.#channel = open(message => {
      if (!('to' in message) || message.to !== threadId) return
      const { is } = message
      if (is === 'drain' || is === 'flush') void carryOut(is).finally(() => this.tell(is))
      else void this.tell()
    })
    this.#channel.postMessage({ from: threadId, is: 'here' } satisfies Message)
    process.once('exit', () => this.#channel.postMessage({ from: threadId, is: 'gone' } satisfies Message))
  }

  async tell(answer: Request = 'report'): Promise<void> {
    const report = await this.#report()
    this.#channel.postMessage({ from: threadId, is: 'report', report, answer } satisfies Message)
  }
}

/** It keeps no thread alive. */
function open(hear: (message: Message, channel: BroadcastChannel) => void): BroadcastChannel {
  const channel = new BroadcastChannel(channelName)
  channel.onmessage = event => hear((event as { data: Message }).data, channel)
  channel.unref()
  return channel
}

const idKey = 'shaketable.service.instance.id'

/** A process is one instance of its service, whatever threads it has. */
export function idOfProcess(own: string): string {
  if (!isMainThread) return (getEnvironmentData(idKey) as string | undefined) ?? own
  setEnvironmentData(idKey, own)
  return own
}
