import { variable } from '@shaketable/sdk/names'
import { exitCode, type Place, ShaketableError } from '@shaketable/slo'
import type { AttachedUrls, FaultSpec, Service, System } from '../../experiment/model.ts'
import { isInsideProcess } from '../../faults/inside-process.ts'
import type { World } from '../../world.ts'
import { isReady } from '../local/ready.ts'
import type { Instance, InstanceEvent, Target } from '../target.ts'

const readyWithinMs = 30_000
const pollMs = 100

/**
 * Shakes services that run already, wherever they do: all that is known of them are URLs, and all that can be done to them is what
 * the SDK inside them does. It starts, stops and signals nothing, so that `stop` has nothing to undo.
 */
export function attachTarget({ world }: { world: World }): Target {
  const listeners: ((event: InstanceEvent) => void)[] = []
  let instances: AttachedInstance[] = []
  const of = (service: string) => instances.filter(instance => instance.service === service)

  async function start(system: System, signal: AbortSignal): Promise<void> {
    const found = system.services.flatMap(service => attachedTo(service, world.env[variable.faultsKey]))
    const tooLate = AbortSignal.timeout(readyWithinMs)
    const both = AbortSignal.any([signal, tooLate])
    await Promise.all(
      found.map(async instance => {
        while (!(await isReady(instance.probe))) {
          await world.clock.sleep(pollMs, both).catch(cause => {
            if (signal.aborted) throw signal.reason
            const words = `${instance.id} (${instance.url}) is not ready after ${readyWithinMs / 1000} s`
            throw new ShaketableError('SHAKETABLE_NOT_READY', words, { exitCode: exitCode.void, cause })
          })
        }
        for (const kind of ['started', 'ready'] as const) {
          const event = { at: world.clock.now(), instance: instance.id, kind, detail: `found at ${instance.url}` }
          for (const listener of listeners) listener(event)
        }
      }),
    )
    instances = found
  }

  function refuses(fault: FaultSpec): string | undefined {
    if (fault.kind === 'network') return undefined
    if (!isInsideProcess(fault)) return 'what runs already and is reached by its URL is neither signalled nor restarted'
    const host = ('from' in fault && fault.from) || fault.service
    const deaf = of(host).find(instance => !instance.faultControl)
    const needs = `${variable.faults}=on there, its URL as \`faults:\`, and its key as ${variable.faultsKey} in your environment`
    return deaf && `${deaf.id} (${deaf.url}) offers no fault control: it needs ${needs}`
  }

  return {
    kind: 'attach',
    instances: of,
    start,
    urls: service => of(service).map(({ url }) => url),
    events: listener => void listeners.push(listener),
    refuses,
    stop: async () => {},
  }
}

/** The instances of the files, by service: `orders-1 (http://127.0.0.1:8080)`. */
export function namesOf(system: System): Map<string, string[]> {
  return new Map(
    system.services.map(service => [
      service.name,
      attachedTo(service, undefined).map(({ id, url }) => `${id} (${url})`),
    ]),
  )
}

function attachedTo(service: Service, key: string | undefined): AttachedInstance[] {
  const { attach, name, place, ready } = service
  if (!attach) throw refused(place, `the service ${name} has no \`attach:\``, 'add `attach: [{ url: … }]` to it')
  return attach.map((urls, index) => {
    const id = `${name}-${index + 1}`
    if (ready !== 'tcp' && !urls.admin) {
      const hint = 'add `admin:`, or say `ready: tcp` for a service without the SDK'
      throw refused(place, `${id} has no health listener (\`admin:\`)`, hint)
    }
    return new AttachedInstance(id, service, urls, key)
  })
}

/** An instance of which nobody here knows the process. */
class AttachedInstance implements Instance {
  readonly id: string
  readonly service: string
  readonly url: string
  readonly adminUrl: string | undefined
  readonly faultControl: { url: string; key: string } | undefined
  readonly probe: Parameters<typeof isReady>[0]
  /** Never seen: it counts as up, and only its fault control can prove that a fault is gone. */
  readonly pid = 0

  constructor(id: string, { name, ready }: Service, { url, admin, faults }: AttachedUrls, key: string | undefined) {
    this.id = id
    this.service = name
    this.url = url
    this.adminUrl = admin
    this.faultControl = faults && key ? { url: faults, key } : undefined
    const { hostname, port, protocol } = new URL(url)
    this.probe =
      admin && ready !== 'tcp'
        ? { url: `${admin}${ready}` }
        : { host: hostname, tcpPort: Number(port || (protocol === 'https:' ? 443 : 80)) }
  }

  crash = () => this.#notOurs('crash')
  terminate = () => this.#notOurs('terminate')
  freeze = () => this.#notOurs('freeze')
  resume = async () => {}

  async #notOurs(what: string): Promise<never> {
    throw new ShaketableError(
      'SHAKETABLE_FAULT_REFUSED',
      `${this.id} is only reached by its URL: nothing can ${what} it`,
    )
  }
}

function refused({ file, line, column }: Place, words: string, hint: string): ShaketableError {
  const message = `${file}:${line}:${column}: ${words}; nothing was done`
  return new ShaketableError('SHAKETABLE_NOT_ATTACHED', message, { exitCode: exitCode.invalidInput, hint })
}
