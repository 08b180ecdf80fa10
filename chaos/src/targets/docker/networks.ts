import type Docker from 'dockerode'
import type { ContainerInspectInfo } from 'dockerode'
import { statusOf } from './engine.ts'

/** A network that a container is on, and how it is known there. */
export interface Membership {
  network: string
  aliases: string[]
  /** Only where somebody gave it this address; else the engine gives one. */
  address: string | undefined
}

/** Those from which it can be taken: the host's network and `none` are not given back. */
export function membershipsOf({ Id, NetworkSettings, HostConfig }: ContainerInspectInfo): Membership[] {
  if (/^(host|none|container:.*)$/.test(HostConfig.NetworkMode ?? '')) return []
  return Object.values(NetworkSettings.Networks).map(({ NetworkID, Aliases, IPAMConfig }) => ({
    network: NetworkID,
    // The engine itself adds the short id.
    aliases: ((Aliases ?? []) as string[]).filter(alias => !Id.startsWith(alias)),
    address: IPAMConfig?.IPv4Address,
  }))
}

export async function disconnect(docker: Docker, container: string, from: Membership[]): Promise<void> {
  for (const { network } of from) await docker.getNetwork(network).disconnect({ Container: container, Force: true })
}

/** Resolves once it is on all of them again, under the names that it had. */
export async function reconnect(docker: Docker, container: string, to: Membership[]): Promise<string> {
  let done = 0
  for (const { network, aliases, address } of to) {
    const { NetworkSettings } = await docker.getContainer(container).inspect()
    if (Object.values(NetworkSettings.Networks).some(({ NetworkID }) => NetworkID === network)) continue
    const config = { Aliases: aliases, ...(address && { IPAMConfig: { IPv4Address: address } }) }
    try {
      await docker.getNetwork(network).connect({ Container: container, EndpointConfig: config })
    } catch (error) {
      // Another has done it in the meantime.
      if (statusOf(error) !== 403) throw error
    }
    done++
  }
  return done > 0 ? 'reconnected' : 'found connected'
}
