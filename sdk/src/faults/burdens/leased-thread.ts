import { Worker } from 'node:worker_threads'
import type { Clock } from '../clock.ts'
import type { BurdenLease } from './burden.ts'

const tellEveryMs = 200

/**
 * A thread that lives as long as the lease. Besides being ended with it, it ends itself when `expired()` says so: the deadline
 * lies in shared memory, so that a main thread which stands still takes nobody hostage. `body` sees `data` and `expired`.
 */
export function startLeasedThread(body: string, data: unknown, lease: BurdenLease, clock: Clock): void {
  const shared = new BigInt64Array(new SharedArrayBuffer(8))
  const tell = () => {
    const leftMs = Math.max(0, Math.ceil(lease.expiresAt - clock.now()))
    Atomics.store(shared, 0, process.hrtime.bigint() + BigInt(leftMs) * 1_000_000n)
  }
  tell()
  // Threads of one process share the clock behind hrtime, but not performance.now().
  const code = `const { data, shared } = require('node:worker_threads').workerData
const expired = () => process.hrtime.bigint() >= Atomics.load(shared, 0)
${body}`
  const thread = new Worker(code, { eval: true, workerData: { data, shared }, execArgv: [], env: {} })
  thread.unref()
  thread.on('error', () => {})
  let cancel = () => {}
  const again = () => {
    tell()
    cancel = clock.after(tellEveryMs, again, 'idle')
  }
  again()
  lease.onEnd(() => {
    cancel()
    void thread.terminate()
  })
}
