/** The load process: runs the arrivals of every plan and sends what it saw to the runner. Ends when the runner does. */
import { constants, setPriority } from 'node:os'
import { Arrivals } from './arrivals.ts'
import type { LoadHealths } from './load.ts'
import { keepPace } from './pace.ts'
import { SampleBuffer } from './sample-batch.ts'
import { type FromWorker, machineClock, type ToWorker } from './wire.ts'

const batchEveryMs = 200

let running: { arrivals: Arrivals[]; flush(): void; batches: NodeJS.Timeout; used(): number } | undefined

try {
  // The system under load often shares this machine: what it does to its own CPUs must not delay an arrival.
  setPriority(constants.priority.PRIORITY_HIGH)
} catch {
  // Not allowed to most users; the lateness tells whether it was needed.
}
process.on('disconnect', () => process.exit())
process.on('message', (message: ToWorker) => {
  if (message.type === 'start') void start(message)
  else void stop()
})

async function start({ plans, clockOffsetMs }: Extract<ToWorker, { type: 'start' }>): Promise<void> {
  const toRunnerClock = machineClock() - performance.now() + clockOffsetMs
  const buffer = new SampleBuffer()
  const flush = () => {
    const samples = buffer.take()
    if (samples) tell({ type: 'samples', samples })
  }
  try {
    const arrivals = plans.map(
      plan =>
        new Arrivals(plan, sample => {
          sample.at += toRunnerClock
          buffer.add(sample)
        }),
    )
    for (const one of arrivals) await one.prepare()
    running = { arrivals, flush, batches: setInterval(flush, batchEveryMs), used: cpuSince() }
    tell({ type: 'running' })
    for (const one of arrivals) one.begin()
    keepPace(arrivals)
  } catch (error) {
    tell({ type: 'refused', reason: (error as Error).message })
  }
}

async function stop(): Promise<void> {
  if (!running) return process.disconnect()
  const { arrivals, flush, batches, used } = running
  await Promise.all(arrivals.map(one => one.end()))
  clearInterval(batches)
  flush()
  tell({ type: 'done', health: healthOf(arrivals, used()) })
}

function healthOf(arrivals: Arrivals[], cpuShare: number): LoadHealths {
  const all = arrivals.map(one => ({ journey: one.plan.journey.name, health: one.health() }))
  const sum = (of: 'planned' | 'started' | 'dropped' | 'greatestInFlight') =>
    all.reduce((total, { health }) => total + health[of], 0)
  const worst = (of: 'latenessP99Ms' | 'latenessMaxMs') => Math.max(0, ...all.map(({ health }) => health[of]))
  return {
    planned: sum('planned'),
    started: sum('started'),
    latenessP99Ms: worst('latenessP99Ms'),
    latenessMaxMs: worst('latenessMaxMs'),
    dropped: sum('dropped'),
    greatestInFlight: sum('greatestInFlight'),
    cpuShare,
    byJourney: Object.fromEntries(all.map(({ journey, health }) => [journey, health])),
  }
}

/** The share of one core that this process has used from now on. */
function cpuSince(): () => number {
  const [cpu, at] = [process.cpuUsage(), performance.now()]
  return () => {
    const { user, system } = process.cpuUsage(cpu)
    return (user + system) / 1000 / (performance.now() - at)
  }
}

function tell(message: FromWorker): void {
  if (process.connected) process.send?.(message)
}
