import { z } from 'zod'
import { restore, type ShakenProxy } from '../../toxiproxy/restore.ts'
import {
  addToxic,
  enableProxy,
  type ProxyAddress,
  removeToxic,
  seeProxy,
  type Toxic,
} from '../../toxiproxy/toxiproxy.ts'
import type { Values } from '../substitute.ts'
import { type MappedContext, type MappedFunction, mapped } from './mapped.ts'

/** It becomes a part of a path. */
const name = z.string().regex(/^[^\s/?#%]+$/)
const on = { for_proxy: name, toxic_name: name }
const amount = z.number().min(0)
const toxicTypes = ['latency', 'bandwidth', 'slow_close', 'timeout', 'reset_peer', 'slicer', 'limit_data'] as const

interface On {
  for_proxy: string
  toxic_name: string
}

const functions: Record<string, MappedFunction> = {
  'chaostoxi.toxic.actions.create_toxic': mapped(
    'action',
    z.strictObject({
      ...on,
      toxic_type: z.enum(toxicTypes),
      stream: z.enum(['downstream', 'upstream']).default('downstream'),
      toxicity: z.number().gt(0).max(1).default(1),
      attributes: z.record(z.string(), amount).nullish(),
    }),
    ({ toxic_type: type, stream, toxicity, attributes, ...where }, context) =>
      lay(where, { type, stream, toxicity, attributes: attributes ?? {} }, context),
  ),
  'chaostoxi.toxic.actions.create_latency_toxic': mapped(
    'action',
    z.strictObject({ ...on, latency: amount, jitter: amount.default(0) }),
    ({ latency, jitter, ...where }, context) => lay(where, whole('latency', { latency, jitter }), context),
  ),
  'chaostoxi.toxic.actions.create_bandwith_degradation_toxic': mapped(
    'action',
    z.strictObject({ ...on, rate: amount }),
    ({ rate, ...where }, context) => lay(where, whole('bandwidth', { rate }), context),
  ),
  'chaostoxi.toxic.actions.create_slow_connection_close_toxic': mapped(
    'action',
    z.strictObject({ ...on, delay: amount }),
    ({ delay, ...where }, context) => lay(where, whole('slow_close', { delay }), context),
  ),
  'chaostoxi.toxic.actions.create_timeout_toxic': mapped(
    'action',
    z.strictObject({ ...on, timeout: amount }),
    ({ timeout, ...where }, context) => lay(where, whole('timeout', { timeout }), context),
  ),
  'chaostoxi.toxic.actions.create_slicer_toxic': mapped(
    'action',
    z.strictObject({ ...on, average_size: amount, size_variation: amount, delay: amount }),
    ({ for_proxy, toxic_name, ...attributes }, context) =>
      lay({ for_proxy, toxic_name }, whole('slicer', attributes), context),
  ),
  'chaostoxi.toxic.actions.create_limiter_toxic': mapped(
    'action',
    z.strictObject({ ...on, bytes_limit: amount }),
    ({ bytes_limit: bytes, ...where }, context) => lay(where, whole('limit_data', { bytes }), context),
  ),
  'chaostoxi.toxic.actions.delete_toxic': mapped('action', z.strictObject(on), async (where, context) => {
    const at = proxyAt(where.for_proxy, context)
    const { toxics } = await seeProxy(at)
    if (!toxics.some(toxic => toxic.name === where.toxic_name)) {
      throw new Error(`the proxy ${at.proxy} has no toxic ${where.toxic_name}, only ${names(toxics)}`)
    }
    await removeToxic(at, where.toxic_name)
    return true
  }),
  'chaostoxi.proxy.actions.disable_proxy': mapped(
    'action',
    z.strictObject({ proxy_name: name }),
    async (given, context) => {
      const at = proxyAt(given.proxy_name, context)
      if (!(await seeProxy(at)).enabled) throw new Error(`the proxy ${at.proxy} is down already`)
      await shakes({ ...at, toxic: undefined }, context)
      await enableProxy(at, false)
      return true
    },
  ),
  'chaostoxi.proxy.actions.enable_proxy': mapped(
    'action',
    z.strictObject({ proxy_name: name }),
    async (given, context) => {
      await enableProxy(proxyAt(given.proxy_name, context), true)
      return true
    },
  ),
  'chaostoxi.proxy.probes.proxy_exist': mapped(
    'probe',
    z.strictObject({ proxy_name: name }),
    async (given, context) => {
      const { name: found } = await seeProxy(proxyAt(given.proxy_name, context))
      return found === given.proxy_name
    },
  ),
}

/** chaostoxi: toxics and proxies of a running Toxiproxy. */
export const toxiproxyFunctions: Record<string, MappedFunction> = Object.fromEntries(
  Object.entries(functions).map(([name, known]) => [name, { ...known, lacks: noAddress }]),
)

function noAddress({ toxiproxy_url: url, toxiproxy_host: host }: Values): string | undefined {
  return url === undefined && host === undefined
    ? 'the configuration has neither toxiproxy_url nor toxiproxy_host'
    : undefined
}

const whole = (type: string, attributes: Record<string, number>): Omit<Toxic, 'name'> => ({
  type,
  stream: 'downstream',
  toxicity: 1,
  attributes,
})

const names = (toxics: Toxic[]) => toxics.map(toxic => toxic.name).join(', ') || 'none'

async function lay(where: On, toxic: Omit<Toxic, 'name'>, context: MappedContext): Promise<unknown> {
  const at = proxyAt(where.for_proxy, context)
  const { enabled, toxics } = await seeProxy(at)
  // Its undo would take away what somebody else has laid.
  if (toxics.some(each => each.name === where.toxic_name))
    throw new Error(`the proxy ${at.proxy} is under ${where.toxic_name} already`)
  if (!enabled) throw new Error(`the proxy ${at.proxy} is down, so that a toxic would reach nothing`)
  await shakes({ ...at, toxic: where.toxic_name }, context)
  await addToxic(at, { ...toxic, name: where.toxic_name })
  return true
}

/** Known to the keeper, and undone at the end, before the proxy is touched. */
async function shakes(shaken: ShakenProxy, context: MappedContext): Promise<void> {
  await context.journal({ type: 'proxy-shaking', ...shaken })
  context.undoes(`the proxy ${shaken.proxy}`, async () => {
    const done = await restore(shaken, context.clock)
    await context.journal({ type: 'proxy-restored', ...shaken })
    return done
  })
}

function proxyAt(proxy: string, { configuration }: MappedContext): ProxyAddress {
  const { toxiproxy_url: url, toxiproxy_host: host, toxiproxy_port: port = 8474 } = configuration
  return { api: String(url ?? `http://${host}:${port}`), proxy }
}
