import type { Objective } from '@shaketable/slo'
import { counts } from '../experiment/feeding.ts'
import type { Experiment } from '../experiment/model.ts'
import type { LoadSample } from '../load/load.ts'
import type { Span } from './observations.ts'
import type { Block } from './statistics.ts'

/** Blocks of this length are what errors are taken to cluster in, in ms; */
const blockMs = 1000
/** shorter ones where there would be fewer than this, which would say nothing about how they cluster. */
const fewestBlocks = 12
/** From so much on, in ms, blocks are whole. */
export const enoughMs = blockMs * fewestBlocks

/** One request that an objective counts. */
export interface Event {
  /** When it was meant to start. */
  at: number
  /** When its answer had come. */
  end: number
  good: boolean
  answered: boolean
}

/** What an objective counts of the samples, oldest first. */
export function eventsOf(objective: Objective, experiment: Experiment, samples: readonly LoadSample[]): Event[] {
  const counted = new Map<string, boolean>()
  for (const { journey } of experiment.load) {
    for (const [index, step] of journey.steps.entries())
      counted.set(`${journey.name} ${index}`, counts(objective, step))
  }
  return samples
    .filter(sample => counted.get(`${sample.journey} ${sample.step}`))
    .map(sample => ({
      at: sample.at,
      end: sample.at + sample.latencyMs,
      good: isGood(objective, sample),
      answered: sample.status > 0,
    }))
    .sort((a, b) => a.at - b.at)
}

/** What the load's own answers can tell: `prometheus` queries and calls between services they cannot. */
export function isSeenByClients({ indicator }: Objective): boolean {
  return indicator.type === 'shaketable' && indicator.selector.signal === 'http-server'
}

/** The objective's own predicate on what the client saw; a request without an answer is never good. */
export function isGood({ indicator }: Objective, sample: LoadSample): boolean {
  if (indicator.type !== 'shaketable' || sample.status === 0) return false
  const { status, underSeconds } = indicator.good
  if (status && sample.status >= status.below) return false
  return underSeconds === undefined || sample.latencyMs <= underSeconds * 1000
}

export const within =
  (span: Span) =>
  ({ at }: { at: number }): boolean =>
    at >= span.start && at < span.end

/** How long the blocks are by which a ratio over these spans is judged, in ms. */
export function blockLengthOf(spans: readonly Span[]): number {
  const lengthMs = spans.reduce((all, { start, end }) => all + end - start, 0)
  return lengthMs > 0 ? Math.min(blockMs, lengthMs / fewestBlocks) : blockMs
}

/** Events by blocks of time from the start of the span. */
export function blocksOf(events: readonly Event[], span: Span, lengthMs: number): Block[] {
  const blocks = Array.from({ length: Math.max(1, Math.ceil((span.end - span.start) / lengthMs - 1e-6)) }, () => ({
    good: 0,
    total: 0,
  }))
  for (const event of events.filter(within(span))) {
    const block = blocks[Math.min(blocks.length - 1, Math.floor((event.at - span.start) / lengthMs))]!
    block.total++
    if (event.good) block.good++
  }
  return blocks
}
