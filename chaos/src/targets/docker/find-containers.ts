import { exitCode, type Place, ShaketableError } from '@shaketable/slo'
import type Docker from 'dockerode'
import type { ContainerInspectInfo } from 'dockerode'
import type { DockerContainers, Service, System } from '../../experiment/model.ts'
import type { EngineAddress } from './engine.ts'

/** A container that runs, with the place that it has in the system. */
export interface FoundContainer {
  /** e.g. `orders-1`, by the order of the containers' names. */
  id: string
  service: Service
  docker: DockerContainers
  name: string
  seen: ContainerInspectInfo
}

/** On a container (`=true`): it is never shaken. */
const protectedLabel = 'dev.shaketable.protected'

/** The running containers of every service, by label. Rejects where a service has none, and where it would be a guess. */
export async function findContainers(docker: Docker, system: System): Promise<FoundContainer[]> {
  const found: FoundContainer[] = []
  for (const service of system.services) {
    const { docker: by, place, name } = service
    if (!by) throw refused(place, `the service ${name} has no \`docker:\``, 'add `docker: { label: key=value }` to it')
    const listed = await docker.listContainers({ filters: { label: [by.label] } }).catch(unreachable)
    if (listed.length === 0) {
      const hint = `docker ps --filter label=${by.label} shows what is looked for; start the system first`
      throw refused(place, `no running container has the label ${by.label} of the service ${name}`, hint)
    }
    const inspected = await Promise.all(listed.map(({ Id }) => docker.getContainer(Id).inspect()))
    inspected.sort((a, b) => a.Name.localeCompare(b.Name, 'en', { numeric: true }))
    for (const [index, seen] of inspected.entries()) {
      const container = { id: `${name}-${index + 1}`, service, docker: by, name: seen.Name.slice(1), seen }
      const twice = found.find(other => other.seen.Id === seen.Id)
      if (twice) {
        const words = `the container ${container.name} bears the labels of two services, ${twice.service.name} and ${name}`
        throw refused(place, words, 'give each service a label of its own')
      }
      if (seen.Config.Labels?.[protectedLabel] === 'true') {
        const words = `${container.id} (container ${container.name}) is protected by its label ${protectedLabel}`
        throw refused(place, words, 'it is not to be shaken: choose another system')
      }
      if (seen.State.Paused) {
        const words = `${container.id} (container ${container.name}) is paused already`
        throw refused(place, words, 'end what has paused it, or `docker unpause` it')
      }
      found.push(container)
    }
  }
  return found
}

/** Where the world reaches a container's port, e.g. `127.0.0.1:21034`, or `undefined` where it is not published. */
export function published(seen: ContainerInspectInfo, port: number, engine: EngineAddress): string | undefined {
  const bindings = seen.NetworkSettings.Ports[`${port}/tcp`] ?? []
  const binding = bindings.find(({ HostIp }) => !HostIp.includes(':')) ?? bindings[0]
  if (!binding) return undefined
  const anywhere = ['', '0.0.0.0', '::'].includes(binding.HostIp)
  const host = anywhere ? ('host' in engine ? engine.host : '127.0.0.1') : binding.HostIp
  return `${host.includes(':') ? `[${host}]` : host}:${binding.HostPort}`
}

/** Why a container would not come back as it was, or `undefined`. */
export function losesItself({ HostConfig: config }: ContainerInspectInfo): string | undefined {
  if (config.AutoRemove) return 'the engine removes it when it ends (--rm)'
  const bindings: { HostPort?: string }[][] = Object.values(config.PortBindings ?? {})
  const fleeting = bindings.flat().some(({ HostPort }) => !HostPort || HostPort === '0')
  return fleeting ? 'the engine chose its published port, and would choose another one' : undefined
}

/** The environment with which a container was made. */
export function environmentOf(seen: ContainerInspectInfo): Record<string, string> {
  return Object.fromEntries(
    (seen.Config.Env ?? []).map(entry => {
      const at = entry.indexOf('=')
      return [entry.slice(0, at), entry.slice(at + 1)]
    }),
  )
}

export function refused({ file, line, column }: Place, words: string, hint: string): ShaketableError {
  const message = `${file}:${line}:${column}: ${words}; nothing was done`
  return new ShaketableError('SHAKETABLE_NOT_IN_DOCKER', message, { exitCode: exitCode.invalidInput, hint })
}

export function unreachable(cause: Error): never {
  throw new ShaketableError('SHAKETABLE_NO_ENGINE', `the Docker engine does not answer: ${cause.message}`, {
    exitCode: exitCode.invalidInput,
    hint: 'start it, or say where it is: DOCKER_HOST=unix:///path or tcp://host:port',
    cause,
  })
}
