import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** A child that speaks over the IPC channel: one question at a time, each answered by one message. */
export class Subject {
  readonly child: ChildProcess
  #said = ''

  constructor([command = '', ...args]: string[], env: Record<string, string>) {
    this.child = spawn(command, args, {
      env: { ...process.env, NODE_OPTIONS: '', ...env },
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    })
    this.child.stderr!.setEncoding('utf8').on('data', (chunk: string) => {
      this.#said = (this.#said + chunk).slice(-4_000)
    })
  }

  /** The next message; rejects where the child ends instead. */
  async next<T>(): Promise<T> {
    const done = new AbortController()
    const ended = once(this.child, 'exit', { signal: done.signal }).then(([code, signal]) => {
      throw new Error(`${this.child.spawnargs.join(' ')} ended with ${code ?? signal}\n${this.#said}`)
    })
    ended.catch(() => {})
    try {
      const [message] = (await Promise.race([once(this.child, 'message', { signal: done.signal }), ended])) as [T]
      return message
    } finally {
      done.abort()
    }
  }

  ask<T>(): Promise<T> {
    const answer = this.next<T>()
    this.child.send('usage')
    return answer
  }

  /** SIGTERM, so that what still waits is sent; SIGKILL after 5 s. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return
    const gone = once(this.child, 'exit')
    this.child.kill('SIGTERM')
    const late = setTimeout(() => this.child.kill('SIGKILL'), 5_000)
    await gone
    clearTimeout(late)
  }
}
