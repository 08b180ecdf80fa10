import { exitCode, ShaketableError } from '@shaketable/slo'
import type { FaultSpec, ToxicSpec } from '../experiment/model.ts'
import { formatSize } from '../experiment/sizes.ts'
import { restore } from '../toxiproxy/restore.ts'
import { addToxic, enableProxy, seeProxy, type Toxic } from '../toxiproxy/toxiproxy.ts'
import type { Fault } from './fault.ts'
import { duration } from './words.ts'

type Network = Extract<FaultSpec, { kind: 'network' }>

/** What happens to the bytes on their way, by a real Toxiproxy that stands before the service. The keeper holds the undo too. */
export const network: Fault<Network> = {
  kind: 'network',
  describe: spec => {
    const some = spec.toxicity < 1 ? ` on ${Number((spec.toxicity * 100).toFixed(2))} % of its connections` : ''
    return `${inWords(spec.toxic)} before ${spec.service}${spec.stream === 'upstream' ? ', on the way there' : ''}${some}`
  },
  inject: async (spec, context) => {
    const { clock } = context.world
    const toxic = toxicOf(spec)
    const shaken = { ...spec.at, toxic: toxic?.name }
    const seen = await seeProxy(spec.at).catch(refused)
    if (!seen.enabled || seen.toxics.some(({ name }) => name === toxic?.name)) {
      const words = `${spec.id}: the proxy ${spec.at.proxy} is ${seen.enabled ? `under ${toxic?.name}` : 'down'} already`
      throw new ShaketableError('SHAKETABLE_NOTHING_TO_HIT', words, {
        hint: 'shaketable sweep undoes what a dead run left',
      })
    }
    const undo = async () => {
      try {
        await restore(shaken, clock)
      } catch (cause) {
        const words = `${spec.id}: the proxy ${spec.at.proxy} ${(cause as Error).message}`
        throw new ShaketableError('SHAKETABLE_NOT_UNDONE', words, { exitCode: exitCode.notUndone, cause })
      }
      await context.shaking({ type: 'proxy-restored', ...shaken })
    }
    const where = `toxiproxy ${spec.at.proxy}`
    await context.journal({ fault: spec.id, instance: where, kind: spec.kind })
    await context.shaking({ type: 'proxy-shaking', ...shaken })
    try {
      await (toxic ? addToxic(spec.at, toxic) : enableProxy(spec.at, false)).catch(refused)
    } catch (cause) {
      await undo().catch(() => {})
      throw cause
    }
    return { instances: [where], renew: async () => {}, hits: async () => ({ seen: 1, hit: 1 }), undo }
  },
}

function refused(cause: Error): never {
  const hint = 'curl <api>/proxies shows what it has'
  throw new ShaketableError('SHAKETABLE_TOXIPROXY', cause.message, { hint, cause })
}

/** `undefined` where the proxy is to be down as a whole. */
function toxicOf({ id, toxic, stream, toxicity }: Network): Toxic | undefined {
  if (toxic.type === 'down') return undefined
  const type = toxiproxyTypes[toxic.type]
  return { name: `shaketable-${id}`, type, stream, toxicity, attributes: attributesOf(toxic) }
}

const toxiproxyTypes: Record<Exclude<ToxicSpec['type'], 'down'>, string> = {
  latency: 'latency',
  bandwidth: 'bandwidth',
  slowClose: 'slow_close',
  timeout: 'timeout',
  resetPeer: 'reset_peer',
  slicer: 'slicer',
  limitData: 'limit_data',
}

/** In Toxiproxy's units: KB/s for a rate, µs between slices, ms everywhere else. */
function attributesOf(toxic: ToxicSpec): Record<string, number> {
  switch (toxic.type) {
    case 'latency':
      return { latency: toxic.delayMs, jitter: toxic.jitterMs }
    case 'bandwidth':
      return { rate: Math.max(1, Math.round(toxic.bytesPerSecond / 1000)) }
    case 'slowClose':
      return { delay: toxic.delayMs }
    case 'timeout':
    case 'resetPeer':
      return { timeout: toxic.afterMs }
    case 'slicer':
      return { average_size: toxic.bytes, size_variation: toxic.variationBytes, delay: toxic.delayMs * 1000 }
    case 'limitData':
      return { bytes: toxic.bytes }
    case 'down':
      return {}
  }
}

function inWords(toxic: ToxicSpec): string {
  switch (toxic.type) {
    case 'latency':
      return `network ${duration(toxic.delayMs)}${toxic.jitterMs ? ` ± ${duration(toxic.jitterMs)}` : ''} slower`
    case 'bandwidth':
      return `network at ${formatSize(toxic.bytesPerSecond)}/s`
    case 'slowClose':
      return `connections closed ${duration(toxic.delayMs)} late`
    case 'timeout':
      return toxic.afterMs === 0 ? 'no data' : `no data, and connections closed after ${duration(toxic.afterMs)}`
    case 'resetPeer':
      return `connections reset after ${duration(toxic.afterMs)}`
    case 'slicer':
      return `data in slices of ${formatSize(toxic.bytes)}`
    case 'limitData':
      return `connections closed after ${formatSize(toxic.bytes)}`
    case 'down':
      return 'network down'
  }
}
