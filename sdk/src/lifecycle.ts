import type { Readiness } from './admin/readiness.ts'
import type { ServerObserver } from './http/server.ts'
import type { Servers } from './http/servers.ts'
import type { AccessLog } from './logs/access-log.ts'
import type { LogRecord } from './logs/record.ts'
import type { Seat } from './members/seat.ts'
import type { MetricPush } from './metrics/push.ts'
import { type ExportQueue, settledWithin } from './otlp/queue.ts'
import type { SpanPipeline } from './traces/pipeline.ts'

/** No end of a process waits longer than this for telemetry. */
const flushDeadlineMs = 2_000

export interface Ending {
  readiness: Readiness
  servers: Servers
  observer: ServerObserver
  accessLog: AccessLog | undefined
  pipeline: SpanPipeline
  push: MetricPush | undefined
  /** Log records that go out over OTLP. */
  logs: ExportQueue<LogRecord> | undefined
  drainTimeoutMs: number
  seat: Seat
  /** The process has been told to end. */
  signalled: boolean
  /** The primary of its cluster has told it to end: a signal to the whole group, which may come as well, says the same again. */
  told: boolean
}

const signals = ['SIGTERM', 'SIGINT'] as const

/** Sees to it that every end of the process is orderly, bounded, and still the end that it would have been. */
export function watchEndings(ending: Ending): () => void {
  let leftToApp = false
  const onSignal = (signal: NodeJS.Signals) => {
    ending.signalled = true
    const others = process.listeners(signal).filter(listener => listener !== onSignal).length
    if (others > signalExitListeners()) {
      leftToApp = true
      return void flush(ending)
    }
    const end = () => {
      tellUnsent(ending)
      raise(signal, onSignal)
    }
    if (ending.readiness.draining) {
      if (!ending.told) return end()
      ending.told = false
      return
    }
    Promise.all([drain(ending), ending.seat.endWorkers(ending.drainTimeoutMs + flushDeadlineMs)])
      .then(() => {
        ending.observer.abandon('drain_timeout')
        return flush(ending)
      })
      .finally(end)
  }
  const last = { made: -1, at: 0 }
  const onBeforeExit = () => {
    // Many an app ends its own way, takes its listener off, and raises the signal again. With ours that does not end the process
    // at once, and the event loop, which is empty, must live until it comes.
    if (leftToApp) setTimeout(() => {}, 50)
    leftToApp = false
    // Flushing wakes the event loop, which brings this event again: only new spans are worth another round.
    if (ending.pipeline.made === last.made) return
    last.made = ending.pipeline.made
    last.at = performance.now()
    void flush(ending)
  }
  const onCrash = () => {
    // An app with its own handler may live on: then nothing may block, and its requests may still be answered.
    const goesOn = process.listenerCount('uncaughtException') > 0
    if (!goesOn) ending.observer.abandon('uncaught_exception')
    ending.accessLog?.flushAtExit()
    if (goesOn) void flush(ending)
    else flushBlocking(ending, flushDeadlineMs)
  }
  const onExit = () => {
    ending.observer.abandon('process_exit')
    ending.accessLog?.flushAtExit()
    // What the flush before this has already waited for is not waited for twice.
    const waited = ending.pipeline.made === last.made ? performance.now() - last.at : 0
    if (waited < flushDeadlineMs) flushBlocking(ending, flushDeadlineMs - waited)
    tellUnsent(ending)
  }
  for (const signal of signals) process.on(signal, onSignal)
  process.on('beforeExit', onBeforeExit)
  process.on('uncaughtExceptionMonitor', onCrash)
  process.on('exit', onExit)
  return () => {
    for (const signal of signals) process.off(signal, onSignal)
    process.off('beforeExit', onBeforeExit)
    process.off('uncaughtExceptionMonitor', onCrash)
    process.off('exit', onExit)
  }
}

/**
 * Listeners of the package signal-exit end the process only when nothing but themselves listens: they wait for us, so that
 * waiting for them would swallow the signal. Raised again, it runs them. Its versions 4 and 3 count themselves here.
 */
function signalExitListeners(): number {
  type Emitter = { count?: number } | undefined
  const four = (globalThis as Record<symbol, unknown>)[Symbol.for('signal-exit emitter')] as Emitter
  const three = (process as { __signal_exit_emitter__?: Emitter }).__signal_exit_emitter__
  return (four?.count ?? 0) + (three?.count ?? 0)
}

/** Not ready, no new connections, and the requests in flight get their time. */
export async function drain({ readiness, servers, observer, drainTimeoutMs, seat }: Ending): Promise<void> {
  readiness.draining = true
  observer.drain()
  for (const server of servers.listening) {
    server.close()
    server.closeIdleConnections?.()
  }
  const threads = seat.drainThreads(drainTimeoutMs + flushDeadlineMs)
  const end = performance.now() + drainTimeoutMs
  while (observer.active > 0 && performance.now() < end) {
    await settledWithin(observer.idle(), end - performance.now())
  }
  await threads
}

export async function flush({ pipeline, push, logs, accessLog, seat }: Ending): Promise<void> {
  accessLog?.flush()
  await Promise.all([
    pipeline.flush(flushDeadlineMs),
    push?.flush(flushDeadlineMs),
    logs?.flush(flushDeadlineMs),
    seat.flush(flushDeadlineMs),
  ])
}

/** The spans first: the logs stand on stdout, too. */
function flushBlocking({ pipeline, logs }: Ending, deadlineMs: number): void {
  const end = performance.now() + deadlineMs
  pipeline.flushBlocking(deadlineMs)
  const left = end - performance.now()
  if (left > 0) logs?.flushBlocking(left)
}

function tellUnsent({ pipeline, logs }: Ending): void {
  pipeline.queue?.tellUnsent()
  logs?.tellUnsent()
}

/** Ends the process by the signal itself, so that its exit status is the signal's own. */
function raise(signal: NodeJS.Signals, ours: NodeJS.SignalsListener): void {
  for (const each of signals) process.removeListener(each, ours)
  process.kill(process.pid, signal)
  // A listener that is left gets the signal from the event loop, which must live until then.
  if (process.listenerCount(signal) > 0) setTimeout(() => {}, 1_000)
}
