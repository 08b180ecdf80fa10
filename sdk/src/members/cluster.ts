import type { Cluster, Worker } from 'node:cluster'
import { createRequire } from 'node:module'
import { deserialize, serialize } from 'node:v8'
import type { Members, Report, Request } from './members.ts'

// Node keeps messages whose `cmd` begins with NODE_ from the app's own listeners.
const cmd = 'NODE_SHAKETABLE'

/** Reports are serialised, as a channel that speaks JSON would lose infinities and what is not a number. */
type Message = { cmd: string; is: 'hello' | 'welcome' | 'ask' | 'end' } | { cmd: string; is: 'report'; report: string }

// Loaded only where there is a cluster.
const load = () => createRequire(import.meta.url)('node:cluster') as Cluster

/** The primary's end, once the app loads node:cluster: every worker with the SDK becomes a member. */
export function leadCluster(members: Members): void {
  const cluster = load()
  if (cluster.isPrimary)
    cluster.on('fork', (worker: Worker) => {
      const name = `worker ${worker.id}`
      const tell = (is: 'welcome' | 'ask' | 'end') => {
        if (worker.isConnected()) worker.process.send?.({ cmd, is } as Message, () => {})
      }
      worker.process.on('internalMessage', (message: Message) => {
        if (message?.cmd !== cmd) return
        if (message.is === 'hello') {
          const ask = (request: Request) => {
            if (request !== 'end') return tell('ask')
            // An app that replaces the workers it has lost does not replace this one.
            worker.exitedAfterDisconnect = true
            tell('end')
          }
          members.joined({ name, kind: 'process', ask })
          tell('welcome')
        } else if (message.is === 'report') {
          members.reported(name, deserialize(Buffer.from(message.report, 'base64')) as Report)
        }
      })
      worker.once('exit', () => members.left(name))
    })
}

/** Every worker has a channel to its primary. */
export function isClusterWorker(): boolean {
  return process.connected === true && load().isWorker
}

/** A primary that has the SDK answers at once; one without it, such as that of a process manager, never does. */
const welcomeWithinMs = 3_000

/** A worker's end. */
export class ClusterSeat {
  readonly #report: () => Promise<Report>
  /** Whether the primary speaks for this worker. */
  readonly welcome: Promise<boolean>

  constructor(report: () => Promise<Report>, end: () => void) {
    this.#report = report
    const { promise, resolve } = Promise.withResolvers<boolean>()
    this.welcome = promise
    setTimeout(() => resolve(false), welcomeWithinMs).unref()
    process.on('internalMessage' as 'message', (message: Message) => {
      if (message?.cmd !== cmd) return
      if (message.is === 'welcome') resolve(true)
      else if (message.is === 'ask') void this.tell()
      // A signal to the whole group may be on its way to this process, too.
      else if (message.is === 'end') setImmediate(end)
    })
    send({ cmd, is: 'hello' })
  }

  /** Reports, and waits until that is written. */
  async tell(): Promise<void> {
    const report = serialize(await this.#report()).toString('base64')
    await send({ cmd, is: 'report', report })
  }
}

function send(message: Message): Promise<void> {
  return new Promise(resolve => {
    if (!process.connected) return resolve()
    process.send?.(message, undefined, undefined, () => resolve())
  })
}
